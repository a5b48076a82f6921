import { sameBytes } from "../base/index.ts";
import type { VerifyKey } from "../keys/index.ts";
import { type Checkpoint, decodeCheckpoint, type TreeHead } from "./checkpoint.ts";
import { AuditError } from "./errors.ts";
import { byIndex, type Finding } from "./findings.ts";
import { HashList } from "./hash-list.ts";
import type { Leaf } from "./leaf.ts";
import { maxFindings, tileWidth } from "./limits.ts";
import { verifyNote } from "./note.ts";
import { parseOrigin } from "./origin.ts";
import { type LogOfLeaves, type ScannedEntries, scanEntries } from "./scan-entries.ts";
import { hashLength } from "./tree-hash.ts";
import { alignEntries } from "./verify-align.ts";
import { followEpochs, judgeEpochSignature, missingFinals } from "./verify-epochs.ts";
import { placesOf, Scan } from "./verify-scan.ts";

/** A head that somebody else kept: the auditor's paper, the other side of a tunnel. Trusted for where it comes from. */
export interface Anchor extends TreeHead {
  /** The log that it is a head of: the same for all anchors. */
  readonly origin: string;
  /** Where it comes from, for the auditor. */
  readonly source: string;
}

/** All that a log is verified against; not the entries themselves. */
export interface VerifyAgainst {
  /** The level-0 hash tiles, one after another; only ever used where they lead to a trusted root. */
  readonly hashes: Uint8Array;
  /** Where the entries begin, and the `audit.epoch` leaves before; null where they begin at 0. The hashes then stand for those before. */
  readonly before?: { readonly count: number; readonly successions: readonly Uint8Array[] } | null;
  /** Every checkpoint that is found with the log: the newest and the final ones of ended epochs. */
  readonly checkpoints: readonly Uint8Array[];
  /** From the node's member statement, the trust domain from the root document. */
  readonly member: {
    readonly trustDomain: string;
    readonly node: string;
    readonly logKey: VerifyKey;
    readonly epochKey: VerifyKey;
  };
  readonly anchors: readonly Anchor[];
}

export interface VerifyInput extends VerifyAgainst {
  /** The entries in the order of the entry bundles, duplicates and strangers included. */
  readonly leaves: readonly Uint8Array[];
}

export interface Verdict {
  /** Origin of the log; null where neither an anchor nor a checkpoint tells it. */
  readonly origin: string | null;
  /** Entries found, those before the beginning of the copy counted. */
  readonly size: number;
  /** How many of them, from the first on, a checkpoint or an anchor vouches for. */
  readonly sealedSize: number;
  /** Root over the sealed entries; null where there are none. */
  readonly root: Uint8Array | null;
  /** By index, the graver first; empty only where every entry is sealed and everything fits. */
  readonly findings: readonly Finding[];
  /** Sealed leaves that say what the log does not hold, gaps and archives, by index; the newest {@link maxNotices}. */
  readonly notices: readonly Leaf[];
}

/** A root that the entries must lead to, and who says so. */
interface Head extends TreeHead {
  readonly says: string;
  readonly anchor: boolean;
}

/** Verifies a whole log offline; see SPEC.md "Verifying a log" for how the findings are told apart. */
export function verifyLog(input: VerifyInput): Verdict {
  const verification = new Verification(input);
  for (let at = 0; at < input.leaves.length; at += tileWidth) {
    verification.add(scanEntries(input.leaves.slice(at, at + tileWidth), verification.log));
  }
  return verification.finish();
}

/** {@link verifyLog} for entries that are scanned elsewhere and handed in as they come, first to last. */
export class Verification {
  /** What the entries must be scanned for. */
  readonly log: LogOfLeaves;
  readonly #input: VerifyAgainst;
  readonly #opened: { readonly signed: readonly Checkpoint[]; readonly findings: readonly Finding[] };
  readonly #scan: Scan;

  constructor(input: VerifyAgainst) {
    this.#input = input;
    this.#opened = openCheckpoints(input);
    const origin = originIn(input, this.#opened.signed);
    this.log = { node: input.member.node, serial: origin === null ? null : parseOrigin(origin).serial };
    const sizes = [...this.#opened.signed, ...input.anchors].map((head) => head.size);
    this.#scan = new Scan([0, ...sizes], input.before == null ? null : { ...input.before, hashes: input.hashes }, this.log);
  }

  /** Takes in the entries that come next. */
  add(entries: ScannedEntries): void {
    this.#scan.add(entries);
  }

  /** What a hash tile over the entries that were found must hold; null where they do not fill `width` of it. */
  tile(place: { level: number; index: number; width: number }): Uint8Array | null {
    return this.#scan.entries.tile(place);
  }

  finish(): Verdict {
    const scan = this.#scan;
    const { signed } = this.#opened;
    const origin = originIn(this.#input, signed);
    const heads: Head[] = [
      ...this.#input.anchors.map((anchor) => ({ ...anchor, says: anchor.source, anchor: true })),
      ...signed.map((one) => ({ ...one, says: `the checkpoint of ${one.size} entries`, anchor: false })),
    ];
    const { places, proven, findings: structure } = judgeStructure(scan, () => this.#input.hashes, heads);
    // Where entries are missing, moved or edited, the successions among them say nothing about the keys.
    const intact = structure.length === 0 && judgeHeads(scan, heads, structure).every(({ code }) => code !== "EDIT");
    const epochs = intact && origin !== null ? judgeEpochs(origin, this.#input, scan, signed) : null;
    const sealing = heads.filter(
      (head) =>
        head.anchor ||
        epochs === null ||
        epochs.sealing.some((one) => one.size === head.size && sameBytes(one.root, head.root)),
    );
    const sealed = sealing.filter((head) => scan.entries.leadsTo(head.size, head.root));
    const best = sealed.reduce<Head | null>((top, head) => (head.size > (top?.size ?? 0) ? head : top), null);
    const findings = [
      ...this.#opened.findings,
      ...structure,
      ...(epochs?.findings ?? []),
      ...judgeHeads(scan, sealing, structure),
      ...unsealedTail(places, sealing),
    ];
    return {
      origin,
      size: scan.claims.length,
      sealedSize: best?.size ?? 0,
      root: best?.root ?? null,
      findings: findings.sort(byIndex).slice(0, maxFindings),
      // An entry that belongs nowhere, or that nothing vouches for, explains nothing.
      notices: scan.notices
        .filter(({ index, leaf }) => places[index] === leaf.index && leaf.index < Math.max(proven, best?.size ?? 0))
        .map(({ leaf }) => leaf),
    };
  }
}

/** An anchor tells it even where whoever holds the folder took all checkpoints out of it. */
function originIn({ anchors }: VerifyAgainst, signed: readonly Checkpoint[]): string | null {
  return anchors[0]?.origin ?? signed[0]?.origin ?? null;
}

/** A checkpoint that the static log key signed for a log of this node. Throws AUDIT_CHECKPOINT_*, AUDIT_ORIGIN_MALFORMED. */
export function openCheckpoint(bytes: Uint8Array, member: Omit<VerifyAgainst["member"], "epochKey">): Checkpoint {
  const checkpoint = decodeCheckpoint(bytes);
  const { node, trustDomain } = parseOrigin(checkpoint.origin);
  const isNamed = node === member.node && trustDomain === member.trustDomain;
  if (!verifyNote(checkpoint.note, { name: checkpoint.origin, key: member.logKey }) || !isNamed) throw notSigned();
  return checkpoint;
}

/** The checkpoints that count, all of one log. */
function openCheckpoints(input: VerifyAgainst): { signed: Checkpoint[]; findings: Finding[] } {
  const signed: Checkpoint[] = [];
  const findings: Finding[] = [];
  for (const bytes of input.checkpoints) {
    try {
      const checkpoint = openCheckpoint(bytes, input.member);
      if (checkpoint.origin !== (originIn(input, signed) ?? checkpoint.origin)) throw notSigned();
      signed.push(checkpoint);
    } catch (error) {
      if (!(error instanceof AuditError)) throw error;
      findings.push({ code: "KEY-EPOCH", index: 0, says: `a checkpoint cannot be believed: ${error.message}` });
    }
  }
  return { signed, findings };
}

function notSigned(): AuditError {
  return new AuditError("AUDIT_CHECKPOINT_UNSIGNED", "it is not signed for this log by this node's log key");
}

/** What the places of the entries alone show. */
function judgeStructure(
  scan: Scan,
  hashes: () => Uint8Array,
  heads: readonly Head[],
): { places: readonly number[]; proven: number; findings: Finding[] } {
  const end = Math.max(0, ...heads.map((head) => head.size));
  // The stored hashes are needed only to tell which entry is wrong.
  const fits = heads.every((head) => scan.entries.leadsTo(head.size, head.root));
  if (fits && scan.claims.every((claim, position) => claim === position))
    return { places: scan.claims, proven: 0, findings: [] };
  const stored = new HashList(heads.map((head) => head.size));
  const bytes = fits ? new Uint8Array(0) : hashes();
  for (let at = 0; at + hashLength <= bytes.length; at += hashLength) stored.push(bytes.subarray(at, at + hashLength));
  const proven = Math.max(0, ...heads.filter((head) => stored.leadsTo(head.size, head.root)).map((head) => head.size));
  const places = placesOf(scan, stored, proven);
  return { places, proven, findings: alignEntries(places, scan.claims, end) };
}

function judgeEpochs(origin: string, input: VerifyAgainst, scan: Scan, signed: readonly Checkpoint[]) {
  const chain = followEpochs(origin, input.member.epochKey, scan.successions);
  const findings = [...chain.findings];
  const sealing = signed.filter((checkpoint) => {
    const finding = judgeEpochSignature(chain, checkpoint);
    if (finding !== null) findings.push(finding);
    return finding === null;
  });
  // A gap already says that what follows cannot be trusted; its missing final checkpoint would only repeat it.
  if (chain.findings.length === 0) findings.push(...missingFinals(chain, sealing));
  return { findings, sealing };
}

/** Heads that the entries do not lead to although every entry stands in its place. */
function judgeHeads(scan: Scan, heads: readonly Head[], structure: readonly Finding[]): Finding[] {
  if (structure.length > 0) return [];
  const fits = (head: Head) => scan.entries.leadsTo(head.size, head.root);
  const good = heads.filter(fits);
  const highest = Math.max(0, ...good.map((head) => head.size));
  const findings = new Map<number, Finding>();
  for (const head of heads.filter((one) => !fits(one))) {
    // The difference lies somewhere after the last head below that still fits.
    const index = Math.max(0, ...good.filter((one) => one.size < head.size).map((one) => one.size));
    if (findings.has(index)) continue;
    const range = `entries ${index} to ${head.size - 1}`;
    // Signed entries against a signed head: the log has two histories. Otherwise the entries were changed under the seal.
    const forked = head.size <= highest;
    const says = forked
      ? `${range} are sealed, but ${head.says} vouches for others`
      : `among ${range} is one that ${head.says} does not cover`;
    findings.set(index, { code: forked ? "FORK" : "EDIT", index, says });
  }
  return [...findings.values()];
}

function unsealedTail(places: readonly number[], heads: readonly Head[]): Finding[] {
  const sealed = Math.max(0, ...heads.map((head) => head.size));
  const end = places.reduce((highest, place) => Math.max(highest, place + 1), 0);
  if (end <= sealed) return [];
  const count = end - sealed;
  const says = `${count} ${count === 1 ? "entry" : "entries"} from index ${sealed} on are covered by no checkpoint and no anchor`;
  return [{ code: "UNSEALED-TAIL", index: sealed, says }];
}
