import t from "tap";
import type { ModelSource } from "../../edge/rotation/index.ts";
import {
  type DeviceJob,
  loadBuiltinModels,
  loadModel,
  notSent,
  type Operation,
  type Outcome,
} from "../../firmware-adapters/index.ts";
import { patientMeterText } from "../support/patient-meter.ts";
import { type RotationRig, ready, viewerId } from "./rotation-rig.ts";
import { TestDevice } from "./test-device.ts";
import type { TestTime } from "./test-time.ts";

const minute = 60_000;

/** A device whose passwords another account sets. */
class HelpedDevice extends TestDevice {
  readonly helpers: string[] = [];
  refusesHelper = false;

  override async run(adapter: string, op: Operation, job: DeviceJob, time?: TestTime): Promise<Outcome> {
    const { helper } = job;
    this.helpers.push(
      helper === undefined ? op : `${op} by ${helper.username} ${Buffer.from(helper.secrets["password"] ?? []).toString()}`,
    );
    if (this.refusesHelper && helper !== undefined) return { ...notSent("SSH_HELPER_REFUSED", ""), mayHaveSpentAttempt: true };
    return super.run(adapter, op, job, time);
  }
}

/** A rig whose model has the account at `admin` make the changes. */
function helped(admin: string): { readonly rig: RotationRig; readonly device: HelpedDevice } {
  const rig = ready({ viewer: true });
  const device = new HelpedDevice();
  rig.device = device;
  const model = loadBuiltinModels().get("openssh-chpasswd");
  if (model === undefined) throw new Error("no model");
  const models: ModelSource = () => ({
    model: { ...model, secrets: loadModel(patientMeterText()).secrets, lockout: "none", settleMs: 5000 },
    settings: { admin, hostKey: "" },
  });
  Object.defineProperty(rig, "models", { value: models });
  return { rig: rig.sync(), device };
}

t.test("a change that another account makes gets that account's login, and a proof does not", async (t) => {
  const { rig, device } = helped("z/meter/viewer");
  await rig.order("rotate").pass(minute);
  const by = (op: string) => `${op} by viewer old`;
  t.same(device.helpers, ["verify", by("prepare"), by("push"), "verify", by("save"), "verify"]);
  t.equal(device.live, "new-1");
  t.same(rig.orderEnds, ["done null"]);
});

t.test("an account that makes its own change logs in as the machine says, also after a change of unknown fate", async (t) => {
  const { rig, device } = helped("z/meter/operator");
  device.tricks.push({ op: "push", trick: "reply lost" });
  await rig.order("rotate").pass(minute);
  t.equal(device.live, "new-1");
  t.same(
    device.helpers.filter((each) => /push|save/.test(each)),
    ["push by operator old", "save by operator new-1"],
  );
});

t.test("without that account, or with one of another device, nothing is sent", async (t) => {
  for (const admin of ["z/meter/nobody", "z/other/viewer"]) {
    const { rig, device } = helped(admin);
    await rig.order("rotate").pass(minute);
    t.same(rig.orderEnds, ["refused ROTATION_HELPER"], admin);
    t.same(device.seen, []);
    t.equal(rig.phase, "IDLE");
  }
});

t.test("a password that the device refused to that account is used once, until it is proven", async (t) => {
  const { rig, device } = helped("z/meter/viewer");
  device.refusesHelper = true;
  await rig.order("rotate").pass(60 * minute);
  const uses = () => device.helpers.filter((each) => each.includes("by viewer")).length;
  t.equal(uses(), 1, "the other attempts of its lockout stay for a human");
  t.same(rig.orderEnds, ["refused ROTATION_HELPER"]);
  await rig.order("rotate").pass(60 * minute);
  t.equal(uses(), 1);
  device.refusesHelper = false;
  await rig.order("verify", 86_400, { of: viewerId }).pass(60 * minute);
  await rig.order("rotate").pass(60 * minute);
  t.equal(device.live, "new-1", "proven by a person's order, it is used again");
  t.same(rig.orderEnds.slice(2), ["done null", "done null"]);
});
