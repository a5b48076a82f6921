import t, { type Test } from "tap";
import { builtinModelText } from "../../firmware-adapters/index.ts";
import { meterLets, meterSays, passwordRegister, programming, writeFloat } from "../crash/meter-frames.ts";
import { ModbusDevice, modbusPeer } from "../peers/modbus-device.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { until } from "./built.ts";
import { atTheVault } from "./command-line.ts";
import { Plant } from "./plant.ts";

t.setTimeout(240_000);

const meters = 6;
const nameOf = (place: number) => `m-${place}`;
const pathOf = (place: number) => `line-4/${nameOf(place)}/setup`;
const factoryOf = (place: number) => 1_000 + place;
const strange = 4_711;

interface FleetAnswer {
  readonly fleetId: string;
  readonly state: string;
  readonly code: string | null;
  readonly stoppedBy: string | null;
  readonly members: readonly { readonly path: string; readonly state: string; readonly canary: boolean }[];
}

/** A line of real meters behind one edge, each judged by frames of our own. */
class Line {
  readonly plant: Plant;
  readonly devices: readonly ModbusDevice[];

  private constructor(plant: Plant, devices: readonly ModbusDevice[]) {
    this.plant = plant;
    this.devices = devices;
  }

  static async start(t: Test): Promise<Line> {
    const plant = await Plant.start(t, { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" });
    const devices = await Promise.all(
      Array.from({ length: meters }, (_, place) => ModbusDevice.start("eastron", factoryOf(place))),
    );
    t.teardown(() => Promise.all(devices.map((device) => device.stop())));
    // No lockout stated: a wrong password then costs no half an hour of the test.
    const yaml = builtinModelText("eastron-sdm")
      .replace("name: eastron-sdm", "name: line-meter")
      .replace("lockout: unknown", "lockout: none");
    const model = plant.system.write("line-meter.yaml", yaml);
    for (const [place, { port }] of devices.entries()) {
      const at = ["--zone", "line-4", "--model", model, "--host", "127.0.0.1", "--port", String(port)];
      await plant.system.vault(["device", "add", nameOf(place), ...at, "--account", "setup"]);
    }
    return new Line(plant, devices);
  }

  device(place: number): ModbusDevice {
    const device = this.devices[place];
    if (device === undefined) throw new Error(`no meter ${place}`);
    return device;
  }

  /** Somebody at the meter changes its password. */
  async change(place: number, from: number, to: number): Promise<void> {
    await meterSays(this.device(place).port, [writeFloat(programming, from), writeFloat(passwordRegister, to)]);
  }

  /** What the meters would know after a power cut. */
  get stored(): number[] {
    return this.devices.map(({ storedPassword }) => Number(storedPassword));
  }

  async version(place: number): Promise<string> {
    return (await this.plant.reveal(pathOf(place))).version;
  }

  /** True where the meter lets in who has what the vault calls current. */
  async lets(place: number): Promise<boolean> {
    const { fields } = await this.plant.reveal(pathOf(place));
    return meterLets(this.device(place).port, Number(fields["password"]));
  }

  async fleet(): Promise<FleetAnswer> {
    return this.plant.call<FleetAnswer>("vault", "GET", "/v1/fleet/newest");
  }

  untilFleet(what: string, isThere: (answer: FleetAnswer) => boolean): Promise<FleetAnswer> {
    return until(what, async () => {
      const answer = await this.fleet();
      return isThere(answer) ? answer : null;
    });
  }
}

const places = Array.from({ length: meters }, (_, place) => place);
const factory = places.map(factoryOf);

await peerSuite(t, modbusPeer, async (suite) => {
  const line = await Line.start(t);
  const { plant } = line;
  suite.stated(line.device(0).version);

  await suite.test("a device is adopted with its present password: proven, and nothing changed", async (t) => {
    const wrong = await atTheVault(t, plant, ["device", "adopt", pathOf(0), "--from-stdin"], String(strange));
    t.equal(wrong.exit, 1);
    t.match(wrong.out, /is not proven yet: failed \(ROTATION_UNKNOWN\)/);
    for (const place of places) {
      const adopted = await atTheVault(t, plant, ["device", "adopt", pathOf(place), "--from-stdin"], String(factoryOf(place)));
      t.equal(adopted.exit, 0);
      t.match(adopted.out, /is adopted: its password works.*; nothing was changed/);
      t.match(adopted.err, /next: tidegate device set .* --rotate on-demand/);
    }
    t.same(line.stored, factory);
    const refused = await atTheVault(t, plant, ["device", "rotate", pathOf(1)]);
    t.match(refused.err, /ORDER_NOT_ALLOWED/);
    t.match((await atTheVault(t, plant, ["fleet", "rotate", "--model", "line-meter"])).err, /FLEET_EMPTY/);
    t.same(line.stored, factory);
  });

  await suite.test("a fleet begins with its canary and stops at the first account whose password is not known", async (t) => {
    for (const place of places) await atTheVault(t, plant, ["device", "set", pathOf(place), "--rotate", "on-demand"]);
    for (const place of [1, 2]) await line.change(place, factoryOf(place), strange);
    const model = ["fleet", "rotate", "--model", "line-meter", "--parallel", "2"];
    const planned = await atTheVault(t, plant, [...model, "--dry-run"]);
    t.match(planned.out, new RegExp(`^${pathOf(0)} +canary\n${pathOf(1)}\n[^]*${meters} accounts would be rotated`));
    const ran = await atTheVault(t, plant, model);
    t.equal(ran.exit, 1);
    t.match(ran.out, /stopped \(FLEET_MEMBER_UNKNOWN at line-4\/m-[12]\/setup\)/);
    const { members } = await line.fleet();
    t.equal(members[0]?.state, "done");
    t.ok(await line.lets(0), "the canary has its new password");
    t.same(
      members.slice(3).map(({ state }) => state),
      ["waiting", "waiting", "waiting"],
    );
    t.same(line.stored.slice(1), [strange, strange, ...factory.slice(3)], "nobody else was touched");
  });

  await suite.test("put right it is resumed, over a restart of the vault, and changes each device once", async (t) => {
    await atTheVault(t, plant, ["credential", "set", pathOf(1), "--from-stdin"], String(strange));
    await line.change(2, strange, factoryOf(2));
    const unknown = (place: number) => async () => ((await plant.rotation(pathOf(place))).state === "UNKNOWN" ? null : true);
    await until("the given password to be proven", unknown(1));
    await until("both to have been given up", async () =>
      (await plant.rotation(pathOf(2))).state === "UNKNOWN" ? true : null,
    );
    await plant.call("edge", "POST", "/v1/rotations/retry", { path: pathOf(2) });
    await until("the other one to be found again", unknown(2));
    const before = await line.version(0);
    const resumed = await atTheVault(t, plant, ["fleet", "resume", "--detach"]);
    t.equal(resumed.exit, 0);
    await plant.stop("vault");
    await plant.run("vault");
    const done = await line.untilFleet("the fleet to be done", ({ state }) => state !== "running");
    t.same([done.state, done.code], ["done", null]);
    t.same([...new Set(done.members.map(({ state }) => state))], ["done"]);
    for (const place of places) t.ok(await line.lets(place), `${nameOf(place)}: what the vault calls current works`);
    t.equal(await line.version(0), before, "what was done stays done");
    t.equal(new Set([...line.stored, ...factory, strange]).size, 2 * meters + 1, "every meter has a password of its own");
    t.match((await atTheVault(t, plant, ["fleet", "status"])).out, new RegExp(`done: ${meters} done, of ${meters}`));
  });
});
