import type { Fields } from "./devices.ts";
import type { Lane } from "./lane.ts";
import type { Armed } from "./messages.ts";
import type { NodeChild } from "./node-child.ts";

/** One kill that is asked for. */
export interface Round {
  readonly lane: Lane;
  /** The process to be killed. */
  readonly target: NodeChild;
  readonly armed: Armed;
}

/** What a scenario leaves behind. */
export interface Provoked {
  /** The order whose end is waited for, or null. */
  readonly orderId: string | null;
  /** What a person does once the killed process runs again. */
  readonly afterwards?: () => Promise<void>;
}

/** Ways to have a process pass a failpoint; each arms it right before what leads there. */
export const scenarios = { rotate, read, verify, restart, hold, revert, surprise, retry, give, refuse, reconcile } as const;
export type ScenarioName = keyof typeof scenarios;

async function rotate({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm(armed);
  return { orderId: await lane.calls.order("rotate") };
}

/** An application reads while the password is changed: its leaf is synced later than it is committed. */
async function read({ lane, target, armed }: Round): Promise<Provoked> {
  const orderId = await lane.calls.order("rotate");
  await target.arm(armed);
  await lane.calls.read();
  return { orderId };
}

async function verify({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm(armed);
  return { orderId: await lane.calls.order("verify") };
}

/** The edge is killed right after it has noted what it sends, and once more on its way up. */
async function restart({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm({ failpoint: "rotation.after-sent", skip: 0 });
  const orderId = await lane.calls.order("rotate");
  await target.death();
  await target.start(armed.failpoint);
  return { orderId };
}

/** The device is put on hold between the order and the change: what was staged is given back. */
async function hold({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm({ failpoint: "rotation.after-staged", skip: 0 });
  const orderId = await lane.calls.order("rotate");
  await target.death();
  await lane.calls.hold(true);
  await target.start(armed.failpoint);
  return { orderId, afterwards: () => lane.calls.hold(false) };
}

/** Somebody restores the device's old configuration: an older password is back. */
async function revert({ lane, target, armed }: Round): Promise<Provoked> {
  await lane.setOnDevice(await lane.older());
  await target.arm(armed);
  return { orderId: await lane.calls.order("verify") };
}

/** Somebody gives the device a password that nobody else knows; later the known one is back, and a person has everything tried again. */
async function surprise({ lane, target, armed }: Round): Promise<Provoked> {
  const known = await lane.current();
  await lane.setOnDevice(lane.nextForeign());
  await target.arm(armed);
  const orderId = await lane.calls.order("verify");
  return { orderId, afterwards: () => setRight(lane, known) };
}

async function retry({ lane, target, armed }: Round): Promise<Provoked> {
  const known = await lane.current();
  await lane.setOnDevice(lane.nextForeign());
  const orderId = await lane.calls.order("verify");
  await lane.isUnknown();
  await lane.setOnDevice(known);
  await target.arm(armed);
  await lane.calls.retry();
  return { orderId, afterwards: () => retryWhereUnknown(lane) };
}

/** As a surprise, but the person tells the vault the password. */
async function give({ lane, target, armed }: Round): Promise<Provoked> {
  const foreign = lane.nextForeign();
  await lane.setOnDevice(foreign);
  await target.arm(armed);
  await lane.calls.give(foreign);
  return { orderId: null };
}

/** The device refuses the new value by its own policy, and takes the next one. */
async function refuse({ lane, target, armed }: Round): Promise<Provoked> {
  await lane.device.refuseNext?.();
  await target.arm(armed);
  return { orderId: await lane.calls.order("rotate") };
}

/** Nobody knows the password any more, and another account of the device sets a new one. */
async function reconcile({ lane, target, armed }: Round): Promise<Provoked> {
  await lane.setOnDevice(lane.nextForeign());
  await lane.calls.order("verify");
  await lane.isUnknown();
  await target.arm(armed);
  return { orderId: await lane.calls.order("reconcile") };
}

async function retryWhereUnknown(lane: Lane): Promise<void> {
  if ((await lane.calls.standing()).state === "UNKNOWN") await lane.calls.retry();
}

async function setRight(lane: Lane, known: Fields): Promise<void> {
  await lane.isUnknown();
  await lane.setOnDevice(known);
  await lane.calls.retry();
}
