// One edge's rotation on a real store, in a process whose system calls disk.test.ts makes fail. A device that survives it lies in a file.
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { machineSeams } from "../../agent/seams/index.ts";
import { SpaceReserve } from "../../agent/space/index.ts";
import { openStore } from "../../agent/store/index.ts";
import { Secret, TidegateError } from "../../protocol/base/index.ts";
import { type RotationRig, ready } from "../edge/rotation-rig.ts";
import { TestDevice } from "../edge/test-device.ts";

const hour = 3_600_000;
const [folder = "", phase = ""] = process.argv.slice(2);
const deviceFile = join(folder, "device");
const say = (what: object) => void writeSync(1, `${JSON.stringify(what)}\n`);

/** A device whose password outlives the process. */
class FiledDevice extends TestDevice {
  constructor(live: string) {
    super();
    this.live = live;
    this.saved = live;
  }

  override async run(...given: Parameters<TestDevice["run"]>): ReturnType<TestDevice["run"]> {
    const outcome = await super.run(...given);
    writeFileSync(deviceFile, this.live);
    say({ touched: given[1] });
    return outcome;
  }
}

function live(): string {
  try {
    return readFileSync(deviceFile, "utf8");
  } catch {
    return "old";
  }
}

function codeOf(error: unknown): string {
  if (error instanceof TidegateError) return error.code;
  throw error;
}

/** Works on until nothing more happens; what stops the engine is told, not thrown. */
async function work(rig: RotationRig): Promise<void> {
  try {
    rig.order("rotate");
  } catch (error) {
    say({ refused: codeOf(error) });
  }
  await rig.pass(2 * hour);
}

const { random } = machineSeams();
const reserve = new SpaceReserve({ path: join(folder, "reserve"), bytes: 1024 * 1024, random });
const key = new Secret(new Uint8Array(32).fill(3));
try {
  const common = { path: join(folder, "node.db"), markPath: join(folder, "mark"), key, random, failpoint: () => {} };
  if (phase === "reserved") await reserve.keep();
  const store = openStore(phase === "reserved" ? { ...common, reserve } : common);
  say({ phase });
  const rig = ready({ store });
  rig.device = new FiledDevice(live());
  await work(rig);
  const { state } = rig.account.record;
  say({
    stopped: store.stopped,
    state: state.phase,
    candidates: state.candidates.map(({ index }) => index[1]),
    readable: store.read((view) => view.count("rotation")) >= 0,
    live: live(),
    failures: rig.device.failures,
    reserved: reserve.whole,
  });
  store.close();
} catch (error) {
  say({ failed: codeOf(error), live: live() });
}
