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
export const scenarios = { rotate, read, verify, restart, hold } as const;
export type ScenarioName = keyof typeof scenarios;

async function rotate({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm(armed);
  return { orderId: await lane.order("rotate") };
}

/** An application reads while the password is changed: its leaf is synced later than it is committed. */
async function read({ lane, target, armed }: Round): Promise<Provoked> {
  const orderId = await lane.order("rotate");
  await target.arm(armed);
  await lane.read();
  return { orderId };
}

async function verify({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm(armed);
  return { orderId: await lane.order("verify") };
}

/** The edge is killed right after it has noted what it sends, and once more on its way up. */
async function restart({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm({ failpoint: "rotation.after-sent", skip: 0 });
  const orderId = await lane.order("rotate");
  await target.death();
  await target.start(armed.failpoint);
  return { orderId };
}

/** The device is put on hold between the order and the change: what was staged is given back. */
async function hold({ lane, target, armed }: Round): Promise<Provoked> {
  await target.arm({ failpoint: "rotation.after-staged", skip: 0 });
  const orderId = await lane.order("rotate");
  await target.death();
  await lane.hold(true);
  await target.start(armed.failpoint);
  return { orderId, afterwards: () => lane.hold(false) };
}
