import { loadBuiltinModels, type Operation, type Outcome, type PushJob } from "../../firmware-adapters/index.ts";
import { snmpAdapter } from "../../firmware-adapters/snmp/index.ts";
import { Snmpd, type SnmpUser, snmpgetWorks } from "../peers/snmpd.ts";
import { startUdpCutter } from "../support/cutter.ts";
import type { CutExchange } from "./run-cuts.ts";

const secrets = {
  old: { authPassword: "firstAuthPassword23", privPassword: "firstPrivPassword23" },
  new: { authPassword: "newAuthPassword4567", privPassword: "newPrivPassword4567" },
  wrong: { authPassword: "wrongAuthPassword23", privPassword: "firstPrivPassword23" },
  admin: { authPassword: "adminAuthPassword23", privPassword: "adminPrivPassword23" },
} as const;
type Which = keyof typeof secrets;

const protocols = { authProtocol: "SHA-256", privProtocol: "AES-128" } as const;
const user = (which: Which, name = "rotator"): SnmpUser => ({ name, ...protocols, ...secrets[which] });
const bytes = (which: Which) => ({
  authPassword: Buffer.from(secrets[which].authPassword),
  privPassword: Buffer.from(secrets[which].privPassword),
});

interface Options {
  readonly current?: Which;
  readonly attempts?: number;
  /** Another user makes the account anew. */
  readonly byAdmin?: boolean;
}

/** Every datagram of every exchange with Net-SNMP's agent. */
export function snmpExchanges(): readonly CutExchange[] {
  const model = loadBuiltinModels().get("net-snmp-agent");
  if (model === undefined) throw new Error("no model");
  const jobFor = (port: number, options: Options & { timeoutMs?: number }): PushJob => ({
    target: { host: "127.0.0.1", port, settings: protocols },
    username: "rotator",
    secrets: { current: bytes(options.current ?? "old"), next: bytes("new") },
    model,
    identity: null,
    timeoutMs: options.timeoutMs ?? 2000,
    attempts: options.attempts ?? 1,
    state: new Uint8Array(0),
    ...(options.byAdmin === true ? { helper: { username: "admin", secrets: bytes("admin") }, ownUnknown: true } : {}),
  });
  const exchange = (name: string, operation: Operation, options: Options = {}): CutExchange => ({
    adapter: "snmp snmpd",
    name,
    unit: "datagram",
    ways: ["both"],
    hows: ["silence", "deaf"],
    sample: null,
    lanes: 3,
    async run(cut) {
      const agent = await Snmpd.start({ users: [user("old"), user("admin", "admin")] });
      const cutter = await startUdpCutter(() => agent.port, cut);
      try {
        const job = jobFor(cutter.port, { ...options, timeoutMs: cut === null ? 2000 : 300 });
        const outcome = operation === "push" ? await prepareAndPush(job, agent.port) : await snmpAdapter[operation](job);
        if (operation !== "push") return { outcome, cutter, truth: { kind: "proof", right: options.current !== "wrong" } };
        const live: ("old" | "new")[] = [];
        for (const which of ["old", "new"] as const) if (await snmpgetWorks(agent.port, user(which))) live.push(which);
        return { outcome, cutter, truth: { kind: "change", live, inSteps: options.byAdmin === true } };
      } finally {
        await cutter.close();
        await agent.stop();
      }
    },
  });
  return [
    exchange("prepare", "prepare"),
    exchange("push", "push"),
    exchange("push, 2 logins", "push", { attempts: 2 }),
    exchange("push by admin", "push", { byAdmin: true }),
    exchange("verify", "verify"),
    exchange("verify wrong", "verify", { current: "wrong" }),
    exchange("save", "save"),
  ];
}

/** The request is made over a whole way: it is the push that is cut. */
async function prepareAndPush(job: PushJob, wholePort: number): Promise<Outcome> {
  const prepared = await snmpAdapter.prepare({ ...job, target: { ...job.target, port: wholePort }, timeoutMs: 2000 });
  if (prepared.kind !== "OK" || prepared.state === null) return prepared;
  return snmpAdapter.push({ ...job, state: prepared.state });
}
