import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import t from "tap";
import type { Result, VectorFile } from "../../scripts/vectors-check/vector-file.ts";

interface PlantedBug {
  readonly bug: string;
  /** Module that is broken, from here. */
  readonly module: string;
  /** Exports that take the place of the real ones. */
  readonly broken: (real: Record<string, unknown>) => Record<string, unknown>;
  /** Vectors that must fail then. */
  readonly caught: readonly string[];
}

interface Peer {
  verify(message: Uint8Array, signature: Uint8Array): boolean;
}

const bugs: readonly PlantedBug[] = [
  {
    bug: "the HMAC of frames is not compared",
    module: "../../protocol/base/index.ts",
    broken: () => ({ sameSecret: () => true }),
    caught: ["a turned bit in the payload", "a frame of the other direction", "a frame cut by one byte"],
  },
  {
    bug: "handshake signatures are not verified",
    module: "../../protocol/tunnel/handshake.ts",
    broken: (real) => ({
      trustPeer: (options: unknown) => ({ ...(real["trustPeer"] as (options: unknown) => Peer)(options), verify: () => true }),
    }),
    caught: ["M2 with a turned bit in the signature", "M2 under another exporter", "M3 signed by another key"],
  },
  {
    bug: "the exporter is not bound",
    module: "../../protocol/tunnel/handshake.ts",
    broken: () => ({ exporterOf: () => new Uint8Array(0) }),
    caught: ["a handshake in mode direct", "M2 alone"],
  },
  {
    bug: "the TLS key is not compared with the member statement",
    module: "../../protocol/tunnel/handshake.ts",
    broken: (real) => ({
      trustPeer: (options: object) =>
        (real["trustPeer"] as (options: object) => Peer)({ ...options, binding: { mode: "proxy" } }),
    }),
    caught: ["M2 through another TLS key", "M3 through another TLS key"],
  },
  {
    bug: "ids are not compared",
    module: "../../protocol/base/index.ts",
    broken: () => ({ sameBytes: () => true }),
    caught: ["M1 to another vault", "M2 from another node"],
  },
  {
    bug: "any gateway is taken for a successor",
    module: "../../protocol/trust/index.ts",
    broken: () => ({ isSuccessor: () => true }),
    caught: ["M2 from a gateway of another name", "M2 from a namesake while the gateway that was dialled is not revoked"],
  },
  {
    bug: "an all-zero secret is let through",
    module: "../../protocol/tunnel/handshake.ts",
    broken: () => ({ agree: () => new Uint8Array(32) }),
    caught: ["M2 with an all-zero ephemeral", "a handshake in mode direct"],
  },
  {
    bug: "M1 does not enter the transcript",
    module: "../../protocol/tunnel/transcript.ts",
    broken: (real) => ({
      transcript2: (_m1: Uint8Array, m2: Uint8Array, exporter: Uint8Array) =>
        (real["transcript2"] as (...parts: Uint8Array[]) => Uint8Array)(new Uint8Array(0), m2, exporter),
    }),
    caught: ["a handshake in mode direct", "M2 alone"],
  },
];

const file = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../protocol/vectors/tunnel.json"), "utf8")) as VectorFile;

for (const { bug, module, broken, caught } of bugs) {
  t.test(`the tunnel vectors catch it where ${bug}`, async (t) => {
    const real = (await import(module)) as Record<string, unknown>;
    const { check } = (await t.mockImport("../../scripts/vectors-check/tunnel.ts", {
      [module]: { ...real, ...broken(real) },
    })) as { check(file: VectorFile): Result[] };
    const failed = check(file)
      .filter((result) => !result.passed)
      .map((result) => result.name);
    for (const name of caught) t.ok(failed.includes(name), name);
  });
}
