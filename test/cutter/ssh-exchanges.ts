import { builtinModelText, type DeviceModel, loadModel, type Operation, type PushJob } from "../../firmware-adapters/index.ts";
import { sshAdapter } from "../../firmware-adapters/ssh/index.ts";
import { Sshd, UnixAccount } from "../peers/sshd.ts";
import { type Cut, startTcpCutter } from "../support/cutter.ts";
import { type CutExchange, endsAndStride } from "./run-cuts.ts";

const passwords = { old: "First-password-2345678", new: "Second-password-345678", wrong: "Wrong-password-2345678" } as const;
const adminPassword = "Admins-password-234567";

/** OpenSSH's server with accounts for every lane, for as long as the cuts take. */
export interface SshPlant {
  readonly exchanges: readonly CutExchange[];
  close(): Promise<void>;
}

/** How closely the bytes of an SSH session are looked at: every `stride`-th, and those `around` the ends of packets. */
export interface SshSampling {
  readonly stride: number;
  readonly around: number;
}

/**
 * Cuts of the exchanges with OpenSSH's server. An exchange has thousands of bytes, most of them inside of one encrypted packet,
 * where every cut is the same to both sides: so the ends of packets and their neighbours are cut, and a stride between.
 */
export async function sshPlant({ stride, around }: SshSampling): Promise<SshPlant> {
  const lanes = 4;
  const admin = new UnixAccount(adminPassword, { admin: true });
  // A server each, so that what a cut left behind is told from what the others do.
  const places = await Promise.all(
    Array.from({ length: lanes }, async () => ({
      sshd: await Sshd.start({ config: ["PermitRootLogin yes"] }),
      account: new UnixAccount(passwords.old),
    })),
  );
  const free = [...places];
  // A cut that nobody is told of lasts its time limit: only the ends of packets are worth that.
  const sample = (ends: readonly number[], how: Cut["how"]) =>
    (how === "silence" ? endsAndStride(Number.POSITIVE_INFINITY, 0) : endsAndStride(stride, around))(ends);
  const exchange = (kind: Kind, name: string, operation: Operation, current: keyof typeof passwords = "old"): CutExchange => ({
    adapter: `ssh ${kind}`,
    name,
    unit: "byte",
    ways: ["request", "answer"],
    hows: ["end", "silence"],
    sample,
    lanes,
    async run(cut) {
      const place = free.pop();
      if (place === undefined) throw new Error("no account is free");
      const { sshd, account } = place;
      const cutter = await startTcpCutter(() => sshd.port, cut);
      try {
        account.set(passwords.old);
        const timeoutMs = cut?.how === "silence" ? 1500 : 15_000;
        const job = jobFor(kind, {
          port: cutter.port,
          username: account.name,
          current: passwords[current],
          timeoutMs,
          admin: admin.name,
        });
        const outcome = await sshAdapter[operation](job);
        await cutter.close();
        if (operation !== "push") return { outcome, cutter, truth: { kind: "proof", right: current !== "wrong" } };
        // What outlived its connection may still land.
        await sshd.quiet(account);
        const held = account.live([passwords.old, passwords.new]);
        return {
          outcome,
          cutter,
          truth: { kind: "change", live: held.map((each) => (each === passwords.old ? "old" : "new")) },
        };
      } finally {
        await cutter.close();
        free.push(place);
      }
    },
  });
  return {
    exchanges: [
      exchange("passwd", "prepare", "prepare"),
      exchange("passwd", "push", "push"),
      exchange("passwd", "verify", "verify"),
      exchange("passwd", "verify wrong", "verify", "wrong"),
      exchange("chpasswd", "push", "push"),
    ],
    async close() {
      await Promise.all(places.map(({ sshd }) => sshd.stop()));
      for (const account of [...places.map((place) => place.account), admin]) account.remove();
    },
  };
}

type Kind = "passwd" | "chpasswd";

const models: Readonly<Record<Kind, DeviceModel>> = {
  passwd: loadModel(builtinModelText("openssh-passwd")),
  chpasswd: loadModel(builtinModelText("openssh-chpasswd")),
};

interface JobParts {
  readonly port: number;
  readonly username: string;
  readonly current: string;
  readonly timeoutMs: number;
  readonly admin: string;
}

function jobFor(kind: Kind, { port, username, current, timeoutMs, admin }: JobParts): PushJob {
  return {
    target: { host: "127.0.0.1", port, settings: kind === "passwd" ? {} : { admin: "line-4/host-1/admin" } },
    username,
    secrets: { current: { password: Buffer.from(current) }, next: { password: Buffer.from(passwords.new) } },
    helper: kind === "passwd" ? undefined : { username: admin, secrets: { password: Buffer.from(adminPassword) } },
    model: models[kind],
    identity: null,
    timeoutMs,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}
