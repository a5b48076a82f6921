import type { Test } from "tap";
import type { ForwardTarget } from "../../../agent/config/index.ts";
import { type Forwarder, nodeFeed } from "../../../agent/forward/index.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { fill, openRig } from "../audit/rig.ts";
import { forward } from "./rig.ts";

/** A log of so many leaves, and a forwarder of it over real sockets or files; only time is the test's. */
export function rig(t: Test, target: object, leaves = 100) {
  const store = new MemoryStore();
  const { log } = openRig({ store });
  fill(store, log, leaves - 1);
  const clock = new ManualClock();
  const feed = nodeFeed(store, log);
  const codes: string[] = [];
  const sender = forward({ feed, clock, codes, target: target as Partial<ForwardTarget> });
  t.teardown(() => sender.close());
  return { store, log, clock, feed, sender, codes };
}

/** Lets the real network work until `done` holds, and no time pass. The test's own limit ends a wait in vain. */
export async function real(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Lets a connection fall idle, so that it is ended and proven. */
export async function proven(sender: Forwarder, clock: ManualClock, sent: number): Promise<void> {
  while (sender.status().sent < sent) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (sender.status().sent < sent && (clock.nextInMs ?? 0) <= 1_000) await clock.advance(1_000);
  }
}

/** Indexes of the JSON lines in a text. */
export const indexesIn = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => (JSON.parse(line) as { index: number }).index);
/** 0 to before `count`. */
export const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
