import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { loadConfig } from "../../agent/config/index.ts";
import { createDataFolder, dataFolderAt } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { edgeConfigSchema, joinEdge, type RunningEdge, start } from "../../edge/index.ts";
import { loadModel } from "../../firmware-adapters/index.ts";
import { MediaRig } from "../cli/media-rig.ts";
import { patientMeterText } from "../support/patient-meter.ts";
import { shortFolder } from "../support/short-folder.ts";
import { ModbusDevice, modbusPeer } from "./modbus-device.ts";
import { peerSuite } from "./peer-suite.ts";

t.setTimeout(60_000);
const path = "plant/meter/setup";
const seams = machineSeams();
const log = createLog({ level: "silent", node: "edge" });

/** A meter on libmodbus, the real vault, and an edge in a folder of its own with its real adapters; nothing but sticks goes between. */
class Segment {
  readonly rig: MediaRig;
  readonly meter: ModbusDevice;
  readonly folder;
  readonly unlock;
  edge: RunningEdge | null = null;

  private constructor(t: Test, rig: MediaRig, meter: ModbusDevice) {
    this.rig = rig;
    this.meter = meter;
    this.folder = dataFolderAt(join(shortFolder(t), "edge"));
    this.unlock = { kind: "key-file", path: join(this.folder.keys, "key-file") } as const;
    t.teardown(() => this.edge?.close());
  }

  /** Joined by stick, with the meter's account and its first password. */
  static async begin(t: Test): Promise<Segment> {
    const meter = await ModbusDevice.start("eastron", 1000);
    t.teardown(() => meter.stop());
    const segment = new Segment(t, await MediaRig.make(t), meter);
    const { rig } = segment;
    rig.vault.seams.nowMs = Date.now();
    await segment.enrol(t);
    const yaml = patientMeterText()
      .replace('"abcdefghijklmnopqrstuvwxyz0123456789-"', '"123456789"')
      .replace("maxLength: 64", "maxLength: 4");
    await rig.vault.addPump("plant", {
      name: "meter",
      model: { name: "patient-meter", yaml, constraints: loadModel(yaml).secrets },
      host: "127.0.0.1",
      port: meter.port,
      accounts: [{ name: "setup", username: "" }],
    });
    await rig.vault.setPassword(path, "1000");
    return segment;
  }

  /** The edge joins by stick and runs: a new one, or one in the place of the one before. */
  async enrol(t: Test): Promise<void> {
    const { rig, unlock } = this;
    const folder = createDataFolder(this.folder.path);
    createKeyFile(unlock.path, seams.random);
    rig.vault.seams.nowMs = Date.now();
    const { code } = await rig.vault.call("POST", "/v1/codes", { name: "edge-1", role: "edge", zone: "plant", media: true });
    const [out, back] = [rig.stick(), rig.stick()];
    const joining = (media: string) => joinEdge({ folder, code: String(code), unlock, seams, api: null, media });
    t.equal(await joining(out), null);
    await rig.atVault.read(out);
    await rig.atVault.write(back);
    t.match(await joining(back), { name: "edge-1" });
    await this.run();
    await rig.at(this.running.parts).read(back);
  }

  async run(): Promise<RunningEdge> {
    const config = loadConfig(this.folder.config, edgeConfigSchema);
    this.edge = await start({ folder: this.folder, config, version: "0" }, seams, this.unlock, { log });
    return this.edge;
  }

  get running(): RunningEdge {
    if (this.edge === null) throw new Error("the edge does not run");
    return this.edge;
  }

  /** A new stick goes from the vault to the edge. */
  async down(): Promise<void> {
    const stick = this.rig.stick();
    this.rig.vault.seams.nowMs = Date.now();
    await this.rig.atVault.write(stick);
    await this.rig.at(this.running.parts).read(stick);
  }

  /** A new stick goes from the edge to the vault; what became of the edge's folder there. */
  async up() {
    const stick = this.rig.stick();
    this.running.parts.node.flushReport();
    await this.rig.at(this.running.parts).write(stick);
    this.rig.vault.seams.nowMs = Date.now();
    const read = await this.rig.atVault.read(stick);
    return read.filter(({ writer }) => writer === this.rig.at(this.running.parts).id);
  }

  async order(action: "rotate" | "verify"): Promise<void> {
    this.rig.vault.seams.nowMs = Date.now();
    await this.rig.vault.call("POST", "/v1/orders", { path, action });
  }

  /** What the account's machine at the edge says, once `done` holds; the test's time limit ends a wait in vain. */
  async until(done: (state: string, pending: unknown) => boolean): Promise<void> {
    for (;;) {
      const state = this.running.parts.credentials.accountAt(path)?.record.state;
      if (state !== undefined && done(state.phase, state.pending)) return;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** The current version at the vault, and its value. */
  async known(): Promise<{ readonly version: string; readonly value: string }> {
    const { version, fields } = (await this.rig.vault.call("POST", "/v1/credentials/reveal", { path })) as {
      version: string;
      fields: { password: string };
    };
    return { version, value: Buffer.from(fields.password, "base64").toString() };
  }

  async nodeState(): Promise<string | undefined> {
    const nodes = (await this.rig.vault.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[];
    return nodes.find(({ name }) => name === "edge-1")?.state;
  }
}

void peerSuite(t, modbusPeer, async (suite) => {
  await suite.test("a password is rotated by sticks alone: join, order, rotation, report, and again", async (t) => {
    const segment = await Segment.begin(t);
    suite.stated(segment.meter.version);
    await segment.down();
    await segment.up();
    const seen = ["1000"];
    for (const round of [1, 2, 3]) {
      await segment.order("rotate");
      await segment.down();
      await segment.until((phase) => phase === "VERIFIED");
      const live = segment.meter.storedPassword;
      t.notOk(seen.includes(live), `round ${round}: the meter has a new password`);
      seen.push(live);
      t.match(await segment.up(), [{ refused: null, refusals: [] }]);
      const { value } = await segment.known();
      t.equal(value, live, "and the vault knows it");
      await segment.down();
      await segment.until((phase) => phase === "IDLE");
    }
    t.equal(segment.running.parts.hop.status(), null, "there never was a tunnel");
    t.equal(await segment.nodeState(), "active");
  });

  await suite.test("incident 18: an older copy of an edge's folder is put back, named, and reconciled by sticks", async (t) => {
    const segment = await Segment.begin(t);
    const { rig, folder, meter } = segment;
    await segment.down();
    await segment.up();
    await segment.running.close();
    const copy = `${folder.path}-copy`;
    cpSync(folder.path, copy, { recursive: true });
    await segment.run();
    await segment.order("rotate");
    await segment.down();
    await segment.until((phase) => phase === "VERIFIED");
    await segment.up();
    await segment.down();
    await segment.up();
    const live = meter.storedPassword;
    t.equal((await segment.known()).value, live);
    await segment.running.close();

    rmSync(folder.path, { recursive: true });
    cpSync(copy, folder.path, { recursive: true });
    await segment.run();
    const [served] = segment.running.parts.credentials.find(path)?.openFields() ?? [];
    t.equal(Buffer.from(served?.value ?? "").toString(), "1000", "the copy believes in the password of its day");
    await segment.up();
    t.equal(await segment.nodeState(), "held", "the vault sees that the node went back");
    const alarms = (await rig.vault.call("GET", "/v1/alarms")) as unknown as { code: string }[];
    t.ok(
      alarms.some(({ code }) => code.includes("CLONE") || code.includes("FORK")),
      alarms.map(({ code }) => code).join(),
    );
    t.equal(meter.storedPassword, live, "nothing was changed on the meter");
    await segment.running.close();

    // Its log is shorter than what the vault holds of it, so that new keys would not be enough: it is enrolled anew under its name.
    rmSync(folder.path, { recursive: true });
    await segment.enrol(t);
    t.equal(await segment.nodeState(), "active");
    await segment.up();
    await segment.down();
    const [now] = segment.running.parts.credentials.find(path)?.openFields() ?? [];
    t.equal(Buffer.from(now?.value ?? "").toString(), live, "it serves the password that is live");
    await segment.order("rotate");
    await segment.down();
    await segment.until((phase) => phase === "VERIFIED");
    t.match(await segment.up(), [{ refused: null, refusals: [] }]);
    t.not(meter.storedPassword, live);
    t.equal((await segment.known()).value, meter.storedPassword, "and it goes on rotating");
  });
});
