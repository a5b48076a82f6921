import { changeOutline, valueProblem } from "../firmware-adapters/index.ts";
import type { RotationCode, StartCheck } from "../protocol/rotation/index.ts";
import type { EdgeParts } from "./parts.ts";
import { type Account, fieldsOf, neededMs } from "./rotation/index.ts";

/** One thing that is asked before a password is changed. */
interface DryCheck {
  readonly check: string;
  /** What would stand in the way, or null. */
  readonly code: string | null;
  readonly detail: string;
}

/** What would be asked and what would be sent; nothing was. */
export interface EdgeDryRun {
  readonly path: string;
  /** Nothing stands in the way. */
  readonly ready: boolean;
  readonly checks: readonly DryCheck[];
  readonly requests: readonly string[];
}

type Parts = Pick<EdgeParts, "engine" | "site" | "store" | "node">;

/** What a rotation of the account would meet if it began now, by all that this edge knows. */
export function dryRun(parts: Parts, account: Account): EdgeDryRun {
  const asked = parts.engine.checks(account).map((each) => checkOf(parts, account, each));
  const value = valueCheck(parts, account);
  const checks = value === null ? asked : [...asked, value];
  return {
    path: account.content?.path ?? account.key,
    ready: checks.every(({ code }) => code === null),
    checks,
    requests: requestsOf(account),
  };
}

function checkOf(parts: Parts, account: Account, { code, blocks }: StartCheck): DryCheck {
  const check = code.replace("ROTATION_", "").toLowerCase().replaceAll("_", "-");
  return { check, code: blocks ? code : null, detail: detailOf(parts, account, code) };
}

/** What is known about it besides yes and no. */
function detailOf({ site, node }: Parts, account: Account, code: RotationCode): string {
  const { record, content, device } = account;
  switch (code) {
    case "ROTATION_ON_HOLD": {
      const here = device === null ? null : site.heldFor(device);
      const where = [...(device?.content.held === true ? ["by the vault"] : []), ...(here === null ? [] : [`here: ${here}`])];
      return where.join(", ");
    }
    case "ROTATION_NOT_ALLOWED":
      return content?.rotate ?? "never";
    case "ROTATION_WINDOW_CLOSED": {
      const openness = device?.calendar.judge(node.interval());
      const needs = `a rotation may take ${seconds(neededMs(account))} s`;
      if (openness?.kind === "closed") return `opens in ${seconds(openness.opensInMs)} s; ${needs}`;
      return openness?.kind === "open" && Number.isFinite(openness.leftMs)
        ? `open for ${seconds(openness.leftMs)} s more; ${needs}`
        : needs;
    }
    case "ROTATION_PERMIT_NEEDED":
      return site.requirePermit ? `runs for ${seconds(site.permitLeftMs())} s` : "not asked for";
    case "ROTATION_POOL_EMPTY":
      return `${record.state.pool.length} values`;
    case "ROTATION_BUDGET_SPENT":
      return `${record.state.spent} attempts spent`;
    default:
      return "";
  }
}

/** The next value of the pool against the model's constraints; null where there is none, or no model. */
function valueCheck({ store }: Parts, account: Account): DryCheck | null {
  const model = account.device?.model ?? null;
  const [next] = account.record.state.pool;
  if (model === null || next === undefined) return null;
  const fields = store.read((view) => fieldsOf(account, next.ref, view));
  const problems = fields.flatMap(({ name, value }) => {
    const constraints = model.secrets[name];
    const problem = constraints === undefined ? "not a secret of the model" : valueProblem(constraints, value);
    value.fill(0);
    return problem === null ? [] : [`${name}: ${problem}`];
  });
  const detail = problems.length === 0 ? `version ${next.index.join(".")} meets the model` : problems.join("; ");
  return { check: "value", code: problems.length === 0 ? null : "DEVICE_VALUE_UNFIT", detail };
}

function requestsOf({ device, content }: Account): string[] {
  const model = device?.model ?? null;
  if (device === null || content === null || model === null) return [];
  const { host, port } = device.content;
  return changeOutline({ target: { host, port, settings: device.settings }, username: content.username, model });
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
