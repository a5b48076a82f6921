import type { Finding } from "./findings.ts";

/**
 * Names how the order of entries differs from 0, 1, 2 … `places` tells for each entry of the file the index where it belongs, each
 * at most once, or -1 where it belongs nowhere; `end` is how many entries there must be at least.
 */
export function alignEntries(places: readonly number[], claims: readonly number[], end: number): Finding[] {
  // An honest log, however large, is done here.
  if (places.length >= end && places.every((place, position) => place === position)) return [];
  const genuine = places.filter((place) => place >= 0);
  const sorted = genuine.toSorted((a, b) => a - b);
  const findings = [...reordered(genuine, sorted)];
  let position = 0;
  for (let gap = 0; gap <= sorted.length; gap += 1) {
    const strangers: number[] = [];
    for (; position < places.length && places[position] === -1; position += 1) strangers.push(claims[position] as number);
    // The genuine entry that ends this gap.
    position += 1;
    const last = gap === sorted.length;
    const from = gap === 0 ? 0 : (sorted[gap - 1] as number) + 1;
    findings.push(...judgeGap({ from, to: last ? Math.max(end, from) : (sorted[gap] as number), last, strangers }));
  }
  return findings;
}

function reordered(genuine: readonly number[], sorted: readonly number[]): Finding[] {
  const findings: Finding[] = [];
  for (let at = 0; at < genuine.length; at += 1) {
    if (genuine[at] === sorted[at]) continue;
    const begin = at;
    // A run ends where as many entries stand as belong there: then what follows is in order again or is a displacement of its own.
    let highest = genuine[at] as number;
    while (highest !== sorted[at]) {
      at += 1;
      highest = Math.max(highest, genuine[at] as number);
    }
    const [first, final] = [sorted[begin] as number, sorted[at] as number];
    findings.push({
      code: "REORDER",
      index: first,
      says: `entries ${first} to ${final} stand in another order than they were sealed in`,
    });
  }
  return findings;
}

interface Gap {
  /** Indices from `from` to before `to` have no genuine entry. */
  readonly from: number;
  readonly to: number;
  /** True after the last genuine entry. */
  readonly last: boolean;
  /** Claims of the entries that stand in the gap and belong nowhere. */
  readonly strangers: readonly number[];
}

/** Each stranger stands for a missing entry as long as there is one: EDIT; what is missing beyond that was taken out. */
function judgeGap({ from, to, last, strangers }: Gap): Finding[] {
  const findings: Finding[] = [];
  const taken = new Set(strangers.filter((claim) => claim >= from && claim < to));
  // Strangers that claim no missing place take the lowest free ones: only a gap's ends are known, not which of it was edited.
  let free = from;
  const others = strangers.length - taken.size;
  for (let at = 0, behind = to; at < others; at += 1) {
    while (taken.has(free)) free += 1;
    if (free < to) taken.add(free);
    else findings.push(inserted(last ? behind++ : to));
  }
  findings.push(...[...taken].map(edited));
  for (const [first, end] of holes(from, to, taken))
    findings.push(last && end === to ? truncated(first, to) : deleted(first, end - first));
  return findings;
}

/** The ranges of `from` to before `to` that hold none of `taken`. A leaf may claim any index, so a gap is never listed one by one. */
function holes(from: number, to: number, taken: ReadonlySet<number>): [first: number, end: number][] {
  const edges = [from - 1, ...[...taken].sort((a, b) => a - b), to];
  return edges.slice(1).flatMap((end, at): [number, number][] => {
    const first = (edges[at] as number) + 1;
    return first < end ? [[first, end]] : [];
  });
}

function edited(index: number): Finding {
  return { code: "EDIT", index, says: `entry ${index} is not the one that was sealed` };
}

function inserted(index: number): Finding {
  return { code: "EDIT", index, says: `an entry that does not belong to this log stands before index ${index}` };
}

function deleted(index: number, count: number): Finding {
  return {
    code: "DELETE",
    index,
    says: count === 1 ? `entry ${index} is missing` : `${count} entries from index ${index} on are missing`,
  };
}

function truncated(index: number, end: number): Finding {
  return { code: "TRUNCATED", index, says: `the log ends after ${index} entries, but ${end} are vouched for` };
}
