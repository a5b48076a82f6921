import { sameBytes, TidegateError } from "../../protocol/base/index.ts";
import {
  applyBody,
  type EntryMap,
  emptyBody,
  emptyDigest,
  itemIssued,
  type ReceiverState,
  raiseSenderEpoch,
  type SenderState,
  snapshotDue,
} from "../../protocol/bundle/index.ts";
import { type Candidate, everyCandidate } from "../../protocol/rotation/index.ts";
import type { RotationReport, World } from "./device-world.ts";
import { type Item, type ModelFact, makeItem, printOf } from "./model-vault.ts";

/** The edge's ends of its streams. */
export interface EdgeLink {
  readonly receiver: ReceiverState;
  readonly entries: EntryMap;
  readonly sender: SenderState;
  /** Every report that it ever sealed: the medium may bring any of them, any number of times. */
  readonly reports: readonly Item[];
  readonly leaves: number;
  /** Vault epoch of the newest root that it knows, and the one of its last acknowledged escrow. */
  readonly root: number;
  readonly escrowed: number;
}

/** Seals a report: what is not acknowledged goes into a snapshot again, an escrow into each until one is acknowledged. */
export function reported(plant: World, link: EdgeLink, reports: readonly RotationReport[]): EdgeLink {
  const facts: ModelFact[] = reports.map(({ report, ref }, i) => ({
    leaf: link.leaves + i + 1,
    report: { kind: report, index: indexOf(plant, ref), fingerprint: printOf(ref) },
  }));
  const open = link.reports.filter(({ id }) => link.sender.unacknowledged.some((each) => sameBytes(each.id, id)));
  const sender = link.root > link.sender.epoch ? raiseSenderEpoch(link.sender, link.root) : link.sender;
  const snapshot = snapshotDue(sender);
  const digest = emptyDigest();
  const due = link.root > link.escrowed;
  const item = makeItem({
    sender,
    receiver: link.receiver,
    body: emptyBody(digest, snapshot ? null : digest),
    root: link.root,
    facts: snapshot ? [...open.flatMap((each) => each.facts), ...facts] : facts,
    escrow: due ? escrowOf(plant) : null,
    up: true,
  });
  return {
    ...link,
    leaves: link.leaves + facts.length,
    sender: itemIssued(sender, item.id, item.header.kind),
    reports: [...link.reports, item],
  };
}

export function entriesWith(held: EntryMap, item: Item): EntryMap | string {
  try {
    return applyBody(held, item.body).entries;
  } catch (error) {
    if (error instanceof TidegateError) return `${item.name} does not fit: ${error.code}`;
    throw error;
  }
}

export function candidate(ref: number, index: readonly [number, number]): Candidate {
  return { ref, index };
}

function indexOf({ edge }: World, ref: number): readonly [number, number] {
  return everyCandidate(edge).find((each) => each.ref === ref)?.index ?? [0, 0];
}

/** All live candidates and the pool, as an escrow blob holds them. */
function escrowOf({ edge }: World) {
  const known = new Map([...edge.candidates, ...edge.pool].map((each) => [each.ref, each]));
  const values = [...known.values()].map(({ ref, index }) => ({ index, fingerprint: printOf(ref) }));
  return { current: known.get(edge.current)?.index ?? [0, 0], values } as const;
}
