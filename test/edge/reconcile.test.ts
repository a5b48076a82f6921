import t from "tap";
import {
  builtinModelText,
  type DeviceJob,
  loadModel,
  notSent,
  type Operation,
  type Outcome,
  ok,
  rejectedAuth,
  resolveSettings,
} from "../../firmware-adapters/index.ts";
import { AccountRig } from "./account-rig.ts";
import { TestTime } from "./test-time.ts";

const minute = 60_000;
const operators = ["First-password-2345678", "Second-password-345678", "Third-password-4567892"];
const admins = "Admins-password-234567";
const strange = "Strange-password-23456";

/** A host whose administrator sets the operator's password. */
class Host {
  readonly time = new TestTime();
  readonly live = new Map([
    ["operator", operators[0] ?? ""],
    ["root", admins],
  ]);
  readonly seen: string[] = [];
  readonly rig: AccountRig;

  constructor(reconcileBy: Uint8Array | null) {
    const model = loadModel(builtinModelText("openssh-chpasswd").replace("lockout: unknown", "lockout: none"));
    const { clock, timers } = this.time;
    const random = (length: number) => new Uint8Array(length).fill(7);
    this.rig = new AccountRig({
      seams: { clock, timers, random, failpoint: () => {} },
      adapters: {
        run: async (_adapter: string, op: Operation, job: DeviceJob) => this.#answer(op, job),
      } as unknown as ConstructorParameters<typeof AccountRig>[0]["adapters"],
      models: (_name, given) => {
        const { settings } = resolveSettings(model, given);
        return settings === null ? null : { model, settings };
      },
      device: { settings: new Map([["admin", "z/host/root"]]) },
      accounts: [
        { username: "operator", values: operators, content: { reconcileBy } },
        { username: "root", values: [admins], content: { rotate: "never" } },
      ],
    });
  }

  #answer(op: Operation, job: DeviceJob): Outcome {
    const { username, helper, secrets } = job;
    this.seen.push(`${op} ${username}${helper === undefined ? "" : " by root"}`);
    const own = text(secrets.current) === this.live.get(username);
    const makes = op === "prepare" || op === "push";
    if (makes && text(helper?.secrets) !== this.live.get("root")) return notSent("SSH_HELPER_REFUSED", "");
    if (op === "push") this.live.set(username, text(secrets.next));
    else if (!own && !(op === "prepare" && job.ownUnknown === true)) return rejectedAuth("DEVICE_SECRET_REFUSED", "");
    return ok({ state: op === "prepare" ? Uint8Array.of(1) : new Uint8Array(0), identity: "host-1" });
  }

  order(action: "verify" | "reconcile"): this {
    this.rig.orders = [...this.rig.orders, { of: "operator", action }];
    this.rig.sync();
    return this;
  }

  async pass(ms: number): Promise<this> {
    const until = this.time.sinceBootMs + ms;
    do for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    while (this.time.fireNext(until));
    this.time.sinceBootMs = Math.max(this.time.sinceBootMs, until);
    return this;
  }
}

function text(fields: Readonly<Record<string, Uint8Array>> | null | undefined): string {
  return Buffer.from(fields?.["password"] ?? []).toString();
}

const root = new Uint8Array(16).fill(101);

t.test("an order of the vault has the administrator set what nobody knows any more", async (t) => {
  const host = await new Host(root).order("verify").pass(minute);
  host.live.set("operator", strange);
  await host.order("verify").pass(10 * minute);
  t.equal(host.rig.phase("operator"), "UNKNOWN");
  host.seen.length = 0;
  await host.order("reconcile").pass(10 * minute);
  t.equal(host.live.get("operator"), operators[1]);
  t.equal(host.rig.phase("operator"), "VERIFIED");
  t.same(host.seen.slice(0, 2), ["prepare operator by root", "push operator by root"]);
  t.same(host.rig.orderEnds, ["done null", "failed ROTATION_UNKNOWN", "done null"]);
  await host.order("reconcile").pass(minute);
  t.same(host.rig.orderEnds.slice(-1), ["refused ROTATION_NOT_NOW"], "only where it is needed");
});

t.test("without such an account, or where its own password is wrong, nothing is changed", async (t) => {
  const alone = await new Host(null).order("verify").pass(minute);
  alone.live.set("operator", strange);
  await alone.order("verify").pass(10 * minute);
  await alone.order("reconcile").pass(10 * minute);
  t.same(alone.rig.orderEnds.slice(-1), ["refused ROTATION_NO_RECONCILER"]);
  t.match(
    alone.rig.leaves.filter(({ action }) => action === "order.refuse"),
    [{ outcome: "denied", code: "ROTATION_NO_RECONCILER", details: { kind: "reconcile" } }],
  );

  const wrong = await new Host(root).order("verify").pass(minute);
  wrong.live.set("operator", strange);
  wrong.live.set("root", strange);
  await wrong.order("verify").pass(10 * minute);
  await wrong.order("reconcile").pass(60 * minute);
  t.same(wrong.rig.orderEnds.slice(-1), ["refused ROTATION_NO_RECONCILER"]);
  t.same([wrong.rig.phase("operator"), wrong.live.get("operator")], ["UNKNOWN", strange]);
  t.equal(wrong.seen.filter((each) => each === "prepare operator by root").length, 1, "one login, and no more");
});
