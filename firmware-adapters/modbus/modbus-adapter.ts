import { hash } from "node:crypto";
import { type Adapter, type DeviceJob, notSent, type Outcome, ok, rejectedPolicy } from "../contract/index.ts";
import { type ModbusModel, resolveSettings, valueProblem } from "../models/index.ts";
import { RecipeRun } from "./recipe-run.ts";
import { encodeSecret } from "./registers.ts";

const identityPrefix = "modbus:";
/** Characters of an identity behind the prefix; the node's leaf about it takes 256. */
const maxIdentityText = 240;
const keptIdentityText = maxIdentityText - 65;

/** A change by recipe has no choice to fix beforehand; the state only says by which version of the rules it was prepared. */
const preparedState = Uint8Array.of(1);

/** Modbus TCP. The protocol has no login of its own: a model's recipe says which registers make one. */
export const modbusAdapter: Adapter = {
  prepare: (job) => withRun(job, async (_run, model, identity) => prepare(model, job, identity)),
  push: (job) => withRun(job, (run, _model, identity) => push(run, job.state, identity)),
  verify: (job) => withRun(job, (run, _model, identity) => finish(run, "verify", identity)),
  identify: (job) => withRun(job, async (_run, _model, identity) => ok({ identity })),
  save: (job) => withRun(job, (run, model, identity) => save(run, model, identity)),
};

type Work = (run: RecipeRun, model: ModbusModel, identity: string | null) => Promise<Outcome>;

/** Connects and checks who answers, without a login, before the operation itself. */
async function withRun(job: DeviceJob, work: Work): Promise<Outcome> {
  const { model, target, timeoutMs } = job;
  if (model.adapter !== "modbus") return notSent("ADAPTER_UNKNOWN", `model ${model.name} is not for modbus`);
  const { settings, problems } = resolveSettings(model, target.settings);
  if (settings === null) return notSent("DEVICE_SETTINGS_INVALID", problems.join("; "));
  const current = job.secrets.current["password"];
  if (current === undefined || current.length === 0) return notSent("DEVICE_VALUE_UNFIT", "no password");
  const unitId = Number(settings["unitId"] ?? "1");
  const secrets = { current, next: job.secrets.next?.["password"] ?? null };
  const run = new RecipeRun(model.recipe, { host: target.host, port: target.port, unitId, timeoutMs }, secrets);
  try {
    if (!(await run.connect())) return notSent("DEVICE_UNREACHABLE", "no connection");
    const found = await run.identify();
    if ("kind" in found) return found;
    const identity = found.identity === "" ? null : identityPrefix + shortened(found.identity);
    if (job.identity !== null && identity !== job.identity)
      return notSent("DEVICE_IDENTITY_CHANGED", "another device answered");
    return await work(run, model, identity);
  } finally {
    run.close();
  }
}

/** What the device's registers say, or, where that is long, its beginning and the SHA-256 of it: a log takes so much text and no more. */
function shortened(text: string): string {
  return text.length <= maxIdentityText ? text : `${text.slice(0, keptIdentityText)}#${hash("sha256", text)}`;
}

function prepare(model: ModbusModel, job: DeviceJob, identity: string | null): Outcome {
  const current = job.secrets.current["password"] ?? new Uint8Array(0);
  const next = job.secrets.next?.["password"] ?? new Uint8Array(0);
  const constraints = model.secrets["password"];
  const problem = constraints === undefined ? "no such field" : valueProblem(constraints, next);
  if (problem !== null) return rejectedPolicy("DEVICE_VALUE_UNFIT", `password: ${problem}`);
  if (Buffer.compare(current, next) === 0) return rejectedPolicy("DEVICE_VALUE_UNFIT", "password: the same as before");
  const writes = model.recipe.push.filter(
    (step) => step.do === "write" && "secret" in step.value && step.value.secret === "next",
  );
  const fits = writes.every((step) => step.do === "write" && encodeSecret(next, step.type, model.recipe) !== null);
  if (!fits) return rejectedPolicy("DEVICE_VALUE_UNFIT", "password: does not fit its register");
  return ok({ state: preparedState, identity });
}

async function push(run: RecipeRun, state: Uint8Array, identity: string | null): Promise<Outcome> {
  if (Buffer.compare(state, preparedState) !== 0) return notSent("DEVICE_STATE_MALFORMED", "the prepared state cannot be read");
  return finish(run, "push", identity);
}

async function save(run: RecipeRun, model: ModbusModel, identity: string | null): Promise<Outcome> {
  if (!model.needsSave) return ok({ code: "DEVICE_SAVE_NOT_NEEDED", identity });
  return finish(run, "save", identity);
}

async function finish(run: RecipeRun, list: "push" | "verify" | "save", identity: string | null): Promise<Outcome> {
  return (await run.run(list)) ?? ok({ identity });
}
