import { utf8 } from "../base/index.ts";
import { OUTCOMES } from "./actions.ts";
import { AuditError } from "./errors.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import { charset, LeafCursor } from "./leaf-cursor.ts";
import { maxBootLength, maxCodeLength, maxDetailLength, maxDetails, maxIdLength, maxLeafBytes } from "./limits.ts";

/** What a verifier asks of each of a million leaves. */
export interface ScannedLeaf extends Pick<Leaf, "log" | "index" | "node"> {
  /** The action, where a verifier looks at the whole leaf; null for every other one. */
  readonly told: ToldAction | null;
}

/** Actions whose details a verifier looks at: who signs next, and what the log says that it does not hold. */
const toldActions = ["audit.epoch", "audit.gap", "audit.archive", "audit.reopen"] as const;
export type ToldAction = (typeof toldActions)[number];
const maxName = 32;
const nodeLength = 32;

/** What stands between the values, SPEC.md section 15.1. */
const fixed = {
  log: utf8('{"v":1,"log":'),
  index: utf8(',"index":'),
  time: utf8(',"time":['),
  comma: utf8(","),
  null: utf8("null"),
  wallMs: utf8('],"wallMs":'),
  boot: utf8(',"boot":"'),
  sinceBootMs: utf8('","sinceBootMs":'),
  node: utf8(',"node":"'),
  action: utf8('","action":"'),
  dot: utf8("."),
  actor: utf8('","actor":{"kind":"'),
  id: utf8('","id":"'),
  subject: utf8('"},"subject":{"kind":"'),
  outcome: utf8('"},"outcome":'),
  code: utf8(',"code":'),
  details: utf8(',"details":{'),
  quote: utf8('"'),
  colon: utf8('":'),
  true: utf8("true"),
  false: utf8("false"),
  end: utf8("}}"),
} as const;
const told = toldActions.map((action) => ({ action, spelt: utf8(`${action}"`) }));
const outcomes = OUTCOMES.map((outcome) => utf8(`"${outcome}"`));

// One for all: it spares an allocation a leaf.
const cursor = new LeafCursor();
let lastNode = { bytes: new Uint8Array(nodeLength), text: "" };

/**
 * Reads a leaf as far as its place goes; null where the bytes are not exactly a leaf. Accepts what {@link decodeLeaf} accepts: nearly
 * every leaf has no escapes and numbers below 10^15 and is read in one pass without being parsed; what is not such a one may still be a leaf.
 */
export function scanLeaf(bytes: Uint8Array): ScannedLeaf | null {
  if (bytes.length > maxLeafBytes) return null;
  return scanCommon(bytes) ?? scanAny(bytes);
}

function scanCommon(bytes: Uint8Array): ScannedLeaf | null {
  cursor.open(bytes);
  if (!cursor.fixed(fixed.log)) return null;
  const log = cursor.uint();
  if (log < 0 || !cursor.fixed(fixed.index)) return null;
  const index = cursor.uint();
  if (index < 0 || !scanTimes()) return null;
  const nodeAt = cursor.at;
  if (!cursor.run(charset.base32, nodeLength) || cursor.at - nodeAt !== nodeLength || !cursor.fixed(fixed.action)) return null;
  const action = told.find(({ spelt }) => cursor.shows(spelt))?.action ?? null;
  if (!scanKind() || !cursor.fixed(fixed.dot) || !scanKind()) return null;
  if (!scanParty(fixed.actor) || !scanParty(fixed.subject) || !scanOutcome() || !scanDetails() || !cursor.atEnd) return null;
  return { log, index, node: nodeText(bytes, nodeAt), told: action };
}

function scanTimes(): boolean {
  if (!cursor.fixed(fixed.time)) return false;
  const lo = cursor.uint();
  if (lo < 0 || !cursor.fixed(fixed.comma)) return false;
  // Also false where there is no number.
  if (!cursor.fixed(fixed.null) && cursor.uint() < lo) return false;
  return (
    cursor.fixed(fixed.wallMs) &&
    cursor.uint() >= 0 &&
    cursor.fixed(fixed.boot) &&
    cursor.run(charset.plain, maxBootLength) &&
    cursor.fixed(fixed.sinceBootMs) &&
    cursor.uint() >= 0 &&
    cursor.fixed(fixed.node)
  );
}

function scanKind(): boolean {
  return cursor.word(charset.lower, charset.kind, maxName);
}

function scanParty(begin: Uint8Array): boolean {
  return cursor.fixed(begin) && scanKind() && cursor.fixed(fixed.id) && cursor.run(charset.plain, maxIdLength);
}

function scanOutcome(): boolean {
  if (!cursor.fixed(fixed.outcome) || !outcomes.some((outcome) => cursor.fixed(outcome)) || !cursor.fixed(fixed.code))
    return false;
  if (cursor.fixed(fixed.null)) return true;
  return cursor.fixed(fixed.quote) && cursor.word(charset.upper, charset.code, maxCodeLength) && cursor.fixed(fixed.quote);
}

function scanDetails(): boolean {
  if (!cursor.fixed(fixed.details)) return false;
  if (cursor.fixed(fixed.end)) return true;
  let before: readonly [number, number] = [0, 0];
  for (let count = 0; count < maxDetails; count += 1) {
    if (!cursor.fixed(fixed.quote)) return false;
    const from = cursor.at;
    if (!cursor.word(charset.lower, charset.field, maxName)) return false;
    const name = [from, cursor.at] as const;
    if (!cursor.sorts(before, name) || !cursor.fixed(fixed.colon) || !scanValue()) return false;
    if (cursor.fixed(fixed.end)) return true;
    if (!cursor.fixed(fixed.comma)) return false;
    before = name;
  }
  return false;
}

function scanValue(): boolean {
  if (cursor.fixed(fixed.quote)) return cursor.run(charset.plain, maxDetailLength) && cursor.fixed(fixed.quote);
  return cursor.uint() >= 0 || cursor.fixed(fixed.true) || cursor.fixed(fixed.false);
}

/** A log's leaves name one node: the text of the last one mostly serves again. */
function nodeText(bytes: Uint8Array, from: number): string {
  for (let i = 0; i < nodeLength; i += 1) {
    if (bytes[from + i] === lastNode.bytes[i]) continue;
    const node = bytes.slice(from, from + nodeLength);
    lastNode = { bytes: node, text: String.fromCharCode(...node) };
    break;
  }
  return lastNode.text;
}

function scanAny(bytes: Uint8Array): ScannedLeaf | null {
  try {
    const { log, index, node, action } = decodeLeaf(bytes);
    return { log, index, node, told: toldActions.find((one) => one === action) ?? null };
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
