import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import t from "tap";
import nacl from "tweetnacl";
import { concat, u64be, utf8 } from "../../protocol/base/index.ts";
import type { Result, VectorFile } from "../../scripts/vectors-check/vector-file.ts";

interface PlantedBug {
  readonly bug: string;
  /** Vector file and checker. */
  readonly area: "keys" | "envelope" | "trust" | "join" | "media" | "seal";
  /** Module that is broken, from here. */
  readonly module: string;
  /** Exports that take the place of the real ones. */
  readonly broken: (real: Record<string, never>) => Record<string, unknown>;
  /** Vectors that must fail then. */
  readonly caught: readonly string[];
}

const alwaysTrue = () => true;

const bugs: readonly PlantedBug[] = [
  {
    bug: "weak Ed25519 keys are left to the library",
    area: "keys",
    module: "../../protocol/keys/weak-points.ts",
    broken: () => ({ isWeakEd25519: () => false }),
    caught: ["Ed25519 key of small order, 1 of 14", "Ed25519 key with y = p + 2"],
  },
  {
    bug: "the key's algorithm does not enter its id",
    area: "keys",
    module: "../../protocol/keys/key-id.ts",
    broken: (real: Record<string, (algorithm: number, key: Uint8Array) => Uint8Array>) => ({
      keyIdOf: (_algorithm: number, key: Uint8Array) => real["keyIdOf"]?.(1, key),
    }),
    caught: ["key id of an X-Wing key", "key id of a P-256 key"],
  },
  {
    bug: "the type is not signed",
    area: "envelope",
    module: "../../protocol/envelope/pae.ts",
    broken: () => ({ pae: (_type: string, payload: Uint8Array) => payload }),
    caught: ["an envelope", "the payload signed without PAE"],
  },
  {
    bug: "signatures are not verified",
    area: "envelope",
    module: "../../protocol/envelope/envelope.ts",
    broken: () => ({ verifyEnvelope: () => {} }),
    caught: ["a turned bit in the payload", "S with the group order added", "another type around the same payload"],
  },
  {
    bug: "one root key is enough",
    area: "trust",
    module: "../../protocol/trust/root-document.ts",
    broken: (real: Record<string, (payload: Uint8Array) => object>) => ({
      decodeRoot: (payload: Uint8Array) => ({ ...real["decodeRoot"]?.(payload), threshold: 1 }),
    }),
    caught: ["root 1 signed by one of three", "root 2 with a threshold of the old keys only"],
  },
  {
    bug: "members are judged under the first root",
    area: "trust",
    module: "../../protocol/trust/verify-statement.ts",
    broken: (real) => ({
      verifyMember: (state: { roots: unknown[] }, envelope: unknown) => {
        const verify = real["verifyMember"] as unknown as (state: unknown, envelope: unknown) => unknown;
        return verify({ ...state, roots: state.roots.slice(0, 1) }, envelope);
      },
    }),
    caught: ["a member under the new bundle signer, in one carrier with the roots"],
  },
  {
    bug: "the revoked list is not asked",
    area: "trust",
    module: "../../protocol/trust/trust-state.ts",
    broken: () => ({ revokedSerials: () => new Map() }),
    caught: ["a revoked member", "an older revoked list is ignored", "a peer that is revoked"],
  },
  {
    bug: "the join request's MAC is not compared",
    area: "join",
    module: "../../protocol/base/index.ts",
    broken: () => ({ sameSecret: alwaysTrue }),
    caught: ["sign key swapped", "made with another secret"],
  },
  {
    bug: "a manifest's writer is not verified",
    area: "media",
    module: "../../protocol/media/manifest.ts",
    broken: () => ({ verifyManifest: () => {} }),
    caught: ["signed by another node", "a revoked node", "another vault", "reports of a node that has not joined"],
  },
  {
    bug: "the order of the files is not looked at",
    area: "media",
    module: "../../protocol/media/media-file.ts",
    broken: () => ({ compareMediaFiles: () => -1 }),
    caught: ["one file twice", "files in another order"],
  },
  {
    bug: "the commitment is not compared",
    area: "seal",
    module: "../../protocol/base/index.ts",
    broken: () => ({ sameSecret: alwaysTrue }),
    caught: ["a turned bit in the commitment"],
  },
  {
    bug: "padding is cut off without a look at it",
    area: "seal",
    module: "../../protocol/seal/padding.ts",
    broken: () => ({ unpad: (padded: Uint8Array) => padded.subarray(0, Math.max(0, padded.lastIndexOf(0x80))) }),
    caught: ["padding of zeros only", "padding with a byte that is not zero", "256 zeros after the 80"],
  },
  {
    bug: "the mark of the last chunk is not looked at",
    area: "seal",
    module: "../../protocol/seal/chunks.ts",
    broken: () => ({ unboxChunks: unboxWithoutLastMark }),
    caught: ["a single chunk not marked as the last"],
  },
];

/** Opens each chunk with either mark. */
function unboxWithoutLastMark(boxed: Uint8Array, key: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  for (let at = 0, index = 0; at < boxed.length; at += 65_552, index += 1) {
    const opened = [0, 1].map((last) => {
      const nonce = concat(utf8("tg1.body"), new Uint8Array(7), u64be(index), Uint8Array.of(last));
      return nacl.secretbox.open(boxed.subarray(at, at + 65_552), nonce, key);
    });
    const part = opened.find((one) => one !== null);
    if (!part) return null;
    parts.push(part);
  }
  return concat(...parts);
}

for (const { bug, area, module, broken, caught } of bugs) {
  t.test(`the ${area} vectors catch it where ${bug}`, async (t) => {
    const real = (await import(module)) as Record<string, never>;
    const { check } = (await t.mockImport(`../../scripts/vectors-check/${area}.ts`, {
      [module]: { ...real, ...broken(real) },
    })) as { check(file: VectorFile): Result[] };
    const text = readFileSync(resolve(import.meta.dirname, `../../protocol/vectors/${area}.json`), "utf8");
    const failed = check(JSON.parse(text) as VectorFile)
      .filter((result) => !result.passed)
      .map((result) => result.name);
    for (const name of caught) t.ok(failed.includes(name), name);
  });
}
