import { type ForwardTarget, forwardShape } from "../../../agent/config/index.ts";
import {
  type Collector,
  type CollectorLink,
  ForwardError,
  type Forwarder,
  type LeafFeed,
  nodeFeed,
  openForwarders,
} from "../../../agent/forward/index.ts";
import { createLog } from "../../../agent/log/index.ts";
import type { Store } from "../../../agent/store/index.ts";
import { type ManualClock, settled } from "../../support/manual-clock.ts";
import { openRig } from "../audit/rig.ts";

export const speaker = { name: "edge-1", role: "edge", version: "0.1.0" } as const;

/** What a collector makes of a line of the format `json`. */
export interface Line {
  readonly origin: string;
  readonly index: number;
  readonly hash: string;
  readonly leaf: { readonly index: number; readonly action: string; readonly details: Readonly<Record<string, unknown>> };
}

/** A log in `store`, as its node forwards it. */
export function logIn(store: Store) {
  const { log, time } = openRig({ store });
  return { log, time, feed: nodeFeed(store, log) };
}

export interface ForwardOptions {
  readonly feed: LeafFeed;
  readonly collector?: Collector;
  readonly clock: ManualClock;
  readonly target?: Partial<ForwardTarget>;
  /** Takes the code of each failure. */
  readonly codes?: string[];
  /** Bytes that the jitter is drawn from. */
  readonly random?: (length: number) => Uint8Array;
}

const silent = createLog({ level: "silent", node: "edge" });

/** One forwarder; JSON lines to the collector unless `target` says otherwise. */
export function forward({
  feed,
  collector,
  clock,
  target = {},
  codes = [],
  random = (length) => new Uint8Array(length),
}: ForwardOptions): Forwarder {
  const [made] = openForwarders({
    targets: forwardShape.parse([
      { name: "siem", format: "json", ...(collector ? { to: "file", path: "/unused" } : {}), ...target },
    ]),
    feed,
    speaker,
    seams: { clock, timers: clock, random },
    log: { ...silent, warn: (_, fields) => void codes.push(String(fields?.code)) },
    collector: collector && (() => collector),
  });
  if (made === undefined) throw new Error("no forwarder");
  return made;
}

type Stall = "open" | "write" | "finish";

/** A collector in memory: what is written is under way until the end is proven, or until it is cut, which loses any part of it. */
export class MemoryCollector implements Collector {
  readonly place = "memory";
  /** What it has read. */
  text = "";
  opened = 0;
  /** Connections at the same time, the most there were. */
  most = 0;
  /** Bytes that were handed over and not taken yet, the most there were. */
  mostWaiting = 0;
  /** Where it hangs for ever. */
  stalls: Stall | null = null;
  refuses = false;
  /** Bytes that it still takes before the connection is cut; null never cuts. */
  cutAfter: number | null = null;
  #open = 0;
  #parsed = 0;
  readonly #lines: Line[] = [];

  async open(): Promise<CollectorLink> {
    this.opened += 1;
    if (this.stalls === "open") return never();
    if (this.refuses) throw new ForwardError("FORWARD_UNREACHABLE", "planted");
    this.#open += 1;
    this.most = Math.max(this.most, this.#open);
    return this.#link();
  }

  /** Every whole line, in the order in which they came. */
  get lines(): readonly Line[] {
    const end = this.text.lastIndexOf("\n") + 1;
    const whole = this.text.slice(this.#parsed, end).split("\n");
    this.#parsed = end;
    const fresh = whole.flatMap((line) => {
      try {
        return [JSON.parse(line) as Line];
      } catch {
        // The rest of a line that was cut, or none.
        return [];
      }
    });
    this.#lines.push(...fresh);
    return this.#lines;
  }

  /** Indexes as a receiver keeps them that drops what it has: in ascending order. */
  get indexes(): number[] {
    return [...new Set(this.lines.map(({ index }) => index))].sort((a, b) => a - b);
  }

  #link(): CollectorLink {
    let open = true;
    // Each connection is a stream of its own: a line that was cut ends with it.
    if (this.text !== "" && !this.text.endsWith("\n")) this.text += "\n";
    const cut = () => new ForwardError("FORWARD_CUT", "planted");
    return {
      write: async (bytes) => {
        if (this.stalls === "write") {
          this.mostWaiting = Math.max(this.mostWaiting, bytes.length);
          return never();
        }
        const room = this.cutAfter ?? bytes.length;
        this.text += Buffer.from(bytes.subarray(0, room)).toString();
        if (this.cutAfter !== null) this.cutAfter -= Math.min(room, bytes.length);
        await settled();
        // A write succeeds as soon as the machine has the bytes: that it was cut is found out later, or never.
      },
      finish: async () => {
        if (this.stalls === "finish") return never();
        if (this.cutAfter === 0) {
          this.cutAfter = null;
          throw cut();
        }
      },
      destroy: () => {
        if (open) this.#open -= 1;
        open = false;
      },
    };
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

/** Lets `ms` pass in steps, with time in between for what each sets off. */
export async function pass(clock: ManualClock, ms: number, stepMs = 15_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    for (let turn = 0; turn < 12; turn += 1) await settled();
    await clock.advance(stepMs);
  }
}

/** Lets time pass until `done` holds; false where it does not within an hour. */
export async function passUntil(clock: ManualClock, done: () => boolean): Promise<boolean> {
  for (let second = 0; second < 3_600 && !done(); second += 1) {
    for (let turn = 0; turn < 40 && !done(); turn += 1) await settled();
    if (!done()) await clock.advance(1_000);
  }
  return done();
}
