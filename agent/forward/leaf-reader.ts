import { setImmediate as turn } from "node:timers/promises";
import { AuditError, tileWidth } from "../../protocol/audit/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import { type EventFormat, eventOf, type ForwardedEvent, type Speaker } from "../event-format/index.ts";
import type { ForwardGap, LeafFeed } from "./contracts.ts";
import { leavesATurn, leavesAWrite } from "./limits.ts";

export interface LeafReaderOptions {
  readonly target: string;
  readonly feed: LeafFeed;
  readonly format: EventFormat;
  readonly speaker: Speaker;
  /** Puts a message into the stream: behind its length, or before a line's end. */
  readonly frame: (message: string) => string;
}

/** The next messages of a stream, or the gap that stands in their place. */
export type Prepared = { readonly bytes: Uint8Array; readonly next: number; readonly gap: null } | { readonly gap: ForwardGap };

/** Makes messages of leaves, a few in each turn of the event loop. */
export class LeafReader {
  readonly #options: LeafReaderOptions;

  constructor(options: LeafReaderOptions) {
    this.#options = options;
  }

  /** The messages of leaves from `from` to before `to`, as many as one write takes; `from` is below `to`. */
  async read(from: number, to: number): Promise<Prepared> {
    const most = Math.min(to, from + leavesAWrite);
    let text = "";
    let next = from;
    while (next < most) {
      const { events, whole } = this.#events(await this.#options.feed.leaves(next, Math.min(leavesATurn, most - next)), next);
      text += this.#framed(events);
      next += events.length;
      if (!whole || events.length === 0) break;
      await turn();
    }
    if (next > from) return { bytes: utf8(text), next, gap: null };
    return { gap: await this.#gapAt(from, to) };
  }

  #framed(events: readonly ForwardedEvent[]): string {
    const { format, speaker, frame } = this.#options;
    return events.map((event) => frame(format(event, speaker))).join("");
  }

  /** Events up to the first leaf that is none, or not the one that belongs there. */
  #events(leaves: readonly Uint8Array[], from: number): { events: ForwardedEvent[]; whole: boolean } {
    const events: ForwardedEvent[] = [];
    for (const bytes of leaves) {
      const event = eventOrNull(bytes, this.#options.feed.origin);
      if (event?.leaf.index !== from + events.length) return { events, whole: false };
      events.push(event);
    }
    return { events, whole: true };
  }

  /** What is archived is the log's beginning, in whole tiles: the first leaf that is held can be searched for. */
  async #gapAt(from: number, to: number): Promise<ForwardGap> {
    const { feed, target } = this.#options;
    const here = await feed.leaves(from, leavesATurn);
    if (here.length > 0) {
      const readable = here.findIndex((bytes) => eventOrNull(bytes, feed.origin) !== null);
      const count = Math.min(to - from, readable < 1 ? here.length : readable);
      return { target, from, count, reason: "unreadable" };
    }
    let gone = Math.floor(from / tileWidth);
    let held = Math.ceil(to / tileWidth);
    while (held - gone > 1) {
      const middle = Math.floor((gone + held) / 2);
      if ((await feed.leaves(middle * tileWidth, 1)).length > 0) held = middle;
      else gone = middle;
    }
    return { target, from, count: Math.min(to, held * tileWidth) - from, reason: "archived" };
  }
}

function eventOrNull(bytes: Uint8Array, origin: string): ForwardedEvent | null {
  try {
    return eventOf(bytes, origin);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
