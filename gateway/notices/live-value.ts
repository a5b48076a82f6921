import { compareIndex, type VersionIndex } from "../../protocol/bundle/index.ts";

/** What an edge last said of an account: which value it proved, and which it has sent since. */
export interface Told {
  readonly live: VersionIndex | null;
  readonly sent: VersionIndex | null;
}

interface Value {
  readonly index: VersionIndex;
}

/** The values of one account that the vault gave to this gateway. */
export interface HeldValues<V extends Value> {
  /** The one that the vault knows to be live. */
  readonly current: V;
  /** Those that the edge may go over to, oldest first. */
  readonly pending: readonly V[];
}

/** What applications get. */
export interface LiveValue<V extends Value> {
  readonly served: V;
  /** The edge is between two values. */
  readonly unsettled: boolean;
  /** What else may be live, in the order to try. */
  readonly alternates: readonly V[];
}

/**
 * Which value is live, by the vault's word and the edge's later one. The value before stays an alternate until the vault has
 * acknowledged the change. Where the edge is away its word may be on its way still: then every value that it holds may be live; else it
 * can be ahead of its word by one value.
 */
export function liveValue<V extends Value>(
  { current, pending }: HeldValues<V>,
  told: Told | null,
  edgeAway: boolean,
): LiveValue<V> {
  const newer = pending.filter(({ index }) => compareIndex(index, current.index) > 0);
  const named = (index: VersionIndex | null) =>
    index === null ? undefined : newer.find((value) => compareIndex(value.index, index) === 0);
  const served = named(told?.live ?? null) ?? current;
  const underWay = named(told?.sent ?? null);
  const sent = underWay === served ? undefined : underWay;
  const ahead = newer.filter((value) => value !== sent && compareIndex(value.index, served.index) > 0);
  // Before `sent` stands what the device has refused by its policy, and perhaps taken all the same.
  const next = sent === undefined ? ahead.slice(0, 1) : ahead.filter(({ index }) => compareIndex(index, sent.index) < 0);
  return {
    served,
    unsettled: sent !== undefined,
    alternates: [...(sent === undefined ? [] : [sent]), ...(current === served ? [] : [current]), ...(edgeAway ? ahead : next)],
  };
}
