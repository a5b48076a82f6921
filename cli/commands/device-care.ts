import { callAdmin } from "../../agent/admin/index.ts";
import { exitCodes, type Frame } from "../frame/index.ts";
import { setCredential, type TakeOptions } from "./credential.ts";
import { vaultPath } from "./device-options.ts";
import { orderHint, placeOrder } from "./device-order.ts";
import { setRules } from "./device-set.ts";
import { type DeviceAnswer, deviceLines, deviceRoute, showDevice } from "./device-view.ts";

/** Options of `device hold` and `device release`. */
export interface HoldOptions {
  readonly data?: string;
  readonly reason?: string;
}

/** Sets or ends an operator's hold of zone/device. */
export async function holdDevice(frame: Frame, path: string, action: "hold" | "release", options: HoldOptions): Promise<void> {
  const body = options.reason === undefined ? {} : { reason: options.reason };
  const call = { method: "POST", path: `${deviceRoute(path)}/${action}`, body } as const;
  frame.output.result((await callAdmin(vaultPath(frame, options), call)) as DeviceAnswer, deviceLines);
}

/** Options of `device adopt`. */
export interface AdoptOptions extends TakeOptions {
  readonly wait: number;
}

/**
 * Takes an account over with its present password: the policy becomes never, the password is asked for where the vault has none, and the
 * edge proves it read-only, which pins the device's identity. Nothing is changed on the device.
 */
export async function adoptAccount(frame: Frame, path: string, options: AdoptOptions): Promise<void> {
  const at = path.split("/").slice(0, 2).join("/");
  const before = (await showDevice(frame, at, options)).accounts.find((each) => each.path === path);
  await setRules(frame, path, { rotation: { rotate: "never", intervalS: null } }, options);
  if (before?.version === null || options.fromFile !== undefined || options.fromStdin === true)
    await setCredential(frame, path, options);
  const answer = await placeOrder(frame, { path, action: "verify", adopts: true }, options);
  const device = await showDevice(frame, at, options);
  const adopted = { path, outcome: answer.outcome, code: answer.code ?? answer.standstill, identity: device.identity };
  frame.output.result(adopted, ({ outcome, code, identity }) =>
    outcome === "done"
      ? `${path} is adopted: its password works${identity === null ? "" : `, the device is ${identity}`}; nothing was changed`
      : `${path} is not proven yet: ${outcome ?? "the edge has not carried the check out"}${code === null ? "" : ` (${code})`}`,
  );
  if (answer.outcome === "done") {
    frame.output.say(`next: tidegate device set ${path} --rotate on-demand, or an interval such as 30d`);
    return;
  }
  const hint = orderHint(answer, options.wait);
  if (hint !== undefined) frame.output.say(`hint: ${hint}`);
  frame.exit(exitCodes.negative);
}
