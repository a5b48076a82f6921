import t from "tap";
import { EdgeCredentials } from "../../edge/credential-source.ts";
import { builtinModelText, loadModel, type Operation } from "../../firmware-adapters/index.ts";
import { FreshnessRules } from "../../protocol/content/index.ts";
import type { WeekWindow } from "../../protocol/time/index.ts";
import { AccountRig } from "./account-rig.ts";
import { TestDevice } from "./test-device.ts";
import { TestTime } from "./test-time.ts";

const minute = 60_000;
const group = new Uint8Array(16).fill(77);
const names = ["hmi", "plc", "zone"];
/** A password as the meter takes it: four digits. */
const value = (name: string, number: number) => `${names.indexOf(name) + 1}00${number}`;
const values = (...numbers: number[]) => names.map((name, place) => value(name, numbers[place] ?? 0));

/** Three accounts on three devices in one group, each with a pool of two values. */
class GroupRig {
  readonly time = new TestTime();
  readonly devices = new Map(names.map((name) => [name, new TestDevice()]));
  /** Every push, in its order. */
  readonly pushes: string[] = [];
  readonly rig: AccountRig;
  onPush: (name: string) => void = () => {};

  constructor(windows: readonly WeekWindow[] = []) {
    const model = loadModel(builtinModelText("eastron-sdm").replace("lockout: unknown", "lockout: none"));
    for (const [name, device] of this.devices) Object.assign(device, { live: value(name, 0), saved: value(name, 0) });
    this.rig = new AccountRig({
      seams: {
        clock: { ...this.time.clock, wallMs: () => this.time.sinceBootMs },
        timers: this.time.timers,
        random: (length) => new Uint8Array(length).fill(7),
        failpoint: () => {},
      },
      adapters: {
        run: (adapter: string, op: Operation, job: Parameters<TestDevice["run"]>[2]) => {
          if (op === "push") {
            this.pushes.push(job.username);
            this.onPush(job.username);
          }
          return this.device(job.username).run(adapter, op, job, this.time);
        },
      } as ConstructorParameters<typeof AccountRig>[0]["adapters"],
      models: () => ({ model, settings: {} }),
      device: { windows },
      accounts: names.map((username) => ({
        username,
        device: username,
        values: [0, 1, 2].map((number) => value(username, number)),
        content: { group },
      })),
    });
  }

  device(name: string): TestDevice {
    const device = this.devices.get(name);
    if (device === undefined) throw new Error("no device");
    return device;
  }

  rotate(name = "hmi"): string | null {
    const account = this.rig.account(name);
    const refused = this.rig.engine.tell(account, { kind: "rotate", by: "order" });
    this.rig.engine.advance(account);
    return refused;
  }

  /** What the local API says of an account: rotation, version, versions of the alternates. */
  shown(name: string): unknown[] {
    const { rig, time } = this;
    const credentials = new EdgeCredentials({
      store: rig.store,
      clock: time.clock,
      time: () => ({ lo: 0, hi: null }),
      freshness: () => new FreshnessRules([]),
      memoryOnly: () => null,
    });
    credentials.index(rig.engine);
    const found = credentials.find(`z/${name}/${name}`);
    return [found?.rotation, found?.version, found?.alternates().map(({ version }) => version)];
  }

  get live(): string[] {
    return names.map((name) => this.device(name).live);
  }

  /** Lets `ms` pass, with everything that happens in it. */
  async pass(ms: number): Promise<this> {
    const until = this.time.sinceBootMs + ms;
    do await settle();
    while (this.time.fireNext(until));
    this.time.sinceBootMs = Math.max(this.time.sinceBootMs, until);
    return this;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 40; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

t.test("all members are proven before the first is changed, then they change one after the other", async (t) => {
  const rig = new GroupRig();
  t.equal(rig.rotate("hmi"), null);
  rig.onPush = () => t.ok(names.every((name) => rig.device(name).seen.some((each) => each.startsWith("verify"))));
  await rig.pass(10 * minute);
  t.same(rig.live, values(1, 1, 1));
  t.same(rig.pushes, ["plc", "zone", "hmi"], "whoever was asked for comes last");
  t.same(rig.rig.engine.groups.blocker(rig.rig.account("plc")), null);
  await rig.pass(60 * minute);
  t.equal(rig.pushes.length, 3, "once");
});

t.test("nothing is sent to any of them while one is not ready, and the one is named", async (t) => {
  type Trouble = [title: string, code: string, make: (rig: GroupRig) => void];
  const cases: Trouble[] = [
    [
      "an empty pool",
      "ROTATION_POOL_EMPTY",
      ({ rig }) => {
        rig.accounts = rig.accounts.map((each) => (each.username === "plc" ? { ...each, values: [value("plc", 0)] } : each));
      },
    ],
    ["a hold", "ROTATION_HELD", ({ rig }) => rig.engine.tell(rig.account("plc"), { kind: "hold", cause: "clock" })],
    [
      "a consumer that is behind",
      "ROTATION_CONSUMERS_BEHIND",
      ({ rig }) => {
        rig.accounts = rig.accounts.map((each) =>
          each.username === "plc" ? { ...each, content: { group, consumersReady: false } } : each,
        );
        rig.sync();
      },
    ],
  ];
  for (const [title, code, make] of cases) {
    const rig = new GroupRig();
    if (title === "an empty pool") {
      const account = rig.rig.account("plc");
      account.record = { ...account.record, state: { ...account.record.state, pool: [] } };
    } else make(rig);
    t.equal(rig.rotate("hmi"), "ROTATION_GROUP_NOT_READY", title);
    t.same(rig.rig.engine.groups.blocker(rig.rig.account("hmi")), { path: "z/plc/plc", code });
    await rig.pass(10 * minute);
    t.same(rig.pushes, [], title);
    t.same(rig.live, values(0, 0, 0));
  }

  const away = new GroupRig();
  away.device("zone").live = "somebody changed it";
  t.equal(away.rotate("hmi"), null, "that shows only when it is asked");
  await away.pass(10 * minute);
  t.same(away.pushes, []);
  t.equal(away.rig.engine.groups.blocker(away.rig.account("hmi"))?.path, "z/zone/zone");
  away.device("zone").live = value("zone", 0);
  away.rig.engine.tell(away.rig.account("zone"), { kind: "retry" });
  away.rig.engine.advance(away.rig.account("zone"));
  await away.pass(20 * minute);
  t.same(away.live, values(1, 1, 1), "once it is there the others follow");
});

t.test("what has begun is brought to its end, over a restart too, and nothing is taken back", async (t) => {
  const rig = new GroupRig();
  rig.onPush = (name) => {
    // The second one is gone when its turn has come.
    if (name === "plc")
      rig.device("zone").tricks.push(...Array.from({ length: 40 }, () => ({ op: "prepare", trick: "unreachable" }) as const));
  };
  rig.rotate("hmi");
  await rig.pass(10 * minute);
  t.same(rig.live, values(0, 1, 0));
  t.ok(rig.rig.engine.groups.overlaps(rig.rig.account("plc")));
  t.equal(rig.rig.engine.groups.blocker(rig.rig.account("hmi"))?.path, "z/zone/zone");
  t.equal(rig.rotate("plc"), null, "a new wish waits for what is under way");
  t.same(rig.shown("plc"), ["in-progress", "1.1", ["1.0"]], "who has not followed yet may need the value before");
  t.same(rig.shown("hmi"), ["in-progress", "1.0", []]);
  await rig.rig.restart();
  await rig.pass(5 * minute);
  t.same(rig.live, values(0, 1, 0));
  rig.device("zone").tricks.length = 0;
  await rig.pass(60 * minute);
  t.same(rig.live, values(1, 1, 1));
  t.notOk(rig.rig.engine.groups.overlaps(rig.rig.account("plc")));
  t.same(rig.pushes, ["plc", "zone", "hmi"]);
  t.same(rig.shown("plc"), ["idle", "1.1", []]);
});

t.test("who is not to wait for a window takes the whole group along, and after that each waits again", async (t) => {
  const noon = [{ days: 0b111_1111, startMinute: 12 * 60, minutes: 240 }];
  const order = (rig: GroupRig, now: boolean) => {
    rig.rig.orders = [{ of: "plc", action: "rotate", now }];
    rig.rig.sync();
    return rig.pass(60 * minute);
  };
  const patient = await order(new GroupRig(noon), false);
  t.same(patient.live, values(0, 0, 0));
  const urgent = await order(new GroupRig(noon), true);
  t.same(urgent.live, values(1, 1, 1));
  t.same(urgent.rig.orderEnds, ["done null"]);
  t.same(
    urgent.rig.facts.filter(({ kind }) => kind === "alarm"),
    [],
    "none of them is past its window",
  );
  urgent.rig.orders = [];
  urgent.rig.sync();
  urgent.rotate("hmi");
  await urgent.pass(60 * minute);
  t.same(urgent.live, values(1, 1, 1));
});

t.test("a group in which nobody waits is seen", async (t) => {
  const rig = new GroupRig();
  Object.assign(rig.rig.engine.groups, { turn: () => "alone", ready: () => true });
  rig.rig.engine.tell(rig.rig.account("plc"), { kind: "hold", cause: "clock" });
  rig.rig.engine.tell(rig.rig.account("hmi"), { kind: "verify" });
  await rig.pass(minute);
  t.equal(rig.rotate("hmi"), null);
  await rig.pass(10 * minute);
  t.same(rig.pushes, ["hmi"], "sent although another member was held");
});
