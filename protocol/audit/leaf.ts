import { AUDIT_ACTIONS, OUTCOMES } from "./actions.ts";
import { AuditError } from "./errors.ts";
import type { AuditEvent, Outcome } from "./event.ts";
import { quote } from "./leaf-text.ts";
import { maxBootLength, maxCodeLength, maxDetailLength, maxDetails, maxIdLength, maxLeafBytes } from "./limits.ts";

export type DetailValue = string | number | boolean;

/** One entry of a log, as an auditor reads it. Kinds and actions are any well-formed name, so that newer logs can be read. */
export interface Leaf {
  /** Serial of the log that it stands in, and its place there. */
  readonly log: number;
  readonly index: number;
  /** The node's time in milliseconds since 1970, as an interval; the upper end is null where it is open. */
  readonly time: readonly [lo: number, hi: number | null];
  /** What the machine's own clock said, milliseconds since 1970; may be wrong. */
  readonly wallMs: number;
  readonly boot: string;
  readonly sinceBootMs: number;
  /** Node id in base32, 32 characters. */
  readonly node: string;
  readonly action: string;
  readonly actor: { readonly kind: string; readonly id: string };
  readonly subject: { readonly kind: string; readonly id: string };
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly details: Readonly<Record<string, DetailValue>>;
}

/** What the log itself adds to an event. */
export type LeafPlace = Pick<Leaf, "log" | "index" | "time" | "wallMs" | "boot" | "sinceBootMs" | "node">;

/** Version of the leaf's layout; SPEC.md "Leaf". */
const leafVersion = 1;
const actionName = /^[a-z][a-z0-9-]{0,31}\.[a-z][a-z0-9-]{0,31}$/;
const kindName = /^[a-z][a-z0-9-]{0,31}$/;
const fieldName = /^[a-z][A-Za-z0-9]{0,31}$/;
const nodeName = /^[a-z2-7]{32}$/;
const codeName = /^[A-Z][A-Z0-9_]*$/;

/** The leaf of `event` at `place`. Throws AUDIT_LEAF_TOO_LARGE for text beyond the limits and AUDIT_LEAF_MALFORMED for a field outside the allow-list. */
export function leafOf(event: AuditEvent, place: LeafPlace): Leaf {
  const details: Readonly<Record<string, DetailValue | undefined>> = event.details ?? {};
  const allowed: Readonly<Record<string, string>> = AUDIT_ACTIONS[event.action];
  const kept: Record<string, DetailValue> = {};
  for (const [field, value] of Object.entries(details)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(allowed, field) ? allowed[field] : undefined;
    if (kind === undefined) throw malformed(`${event.action} has no detail ${field}`);
    if (kind !== kindOf(value)) throw malformed(`${event.action}.${field} is not ${kind}`);
    kept[field] = value;
  }
  return {
    ...place,
    action: event.action,
    actor: event.actor,
    subject: event.subject,
    outcome: event.outcome,
    code: event.code ?? null,
    details: kept,
  };
}

/** The leaf's only spelling. Throws AUDIT_LEAF_MALFORMED or AUDIT_LEAF_TOO_LARGE where it has none. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  check(leaf);
  const text = spell(leaf);
  if (text.length > maxLeafBytes) throw tooLarge(`a leaf of ${text.length} bytes`);
  return Buffer.from(text, "latin1");
}

/** Reads a leaf and accepts only the bytes that {@link encodeLeaf} would write. Throws AUDIT_LEAF_MALFORMED. */
export function decodeLeaf(bytes: Uint8Array): Leaf {
  if (bytes.length > maxLeafBytes) throw malformed(`a leaf of ${bytes.length} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const leaf = read(parse(text));
  try {
    check(leaf);
  } catch (cause) {
    throw cause instanceof AuditError ? malformed(cause.message) : cause;
  }
  // One spelling for each leaf: catches other key orders, spaces, double keys, number and escape variants at once.
  if (spell(leaf) !== text) throw malformed("not the canonical spelling");
  return leaf;
}

function spell(leaf: Leaf): string {
  const { before, after } = spellPlace(leaf);
  const { actor, subject } = leaf;
  return (
    `${before}${leaf.index}${after},"action":"${leaf.action}"` +
    `,"actor":{"kind":"${actor.kind}","id":${quote(actor.id)}},"subject":{"kind":"${subject.kind}","id":${quote(subject.id)}}` +
    `,"outcome":"${leaf.outcome}","code":${leaf.code === null ? "null" : `"${leaf.code}"`},"details":${spellDetails(leaf)}}`
  );
}

/** The part of a leaf that its place makes up: what stands before and behind its index. The place must have been checked. */
export function spellPlace({ log, time, wallMs, boot, sinceBootMs, node }: LeafPlace): { before: string; after: string } {
  return {
    before: `{"v":${leafVersion},"log":${log},"index":`,
    after:
      `,"time":[${time[0]},${time[1]}],"wallMs":${wallMs}` +
      `,"boot":${quote(boot)},"sinceBootMs":${sinceBootMs},"node":"${node}"`,
  };
}

function spellDetails(leaf: Leaf): string {
  const fields = Object.keys(leaf.details).sort();
  let out = "";
  for (const field of fields) {
    const value = leaf.details[field];
    out += `${out === "" ? "" : ","}"${field}":${typeof value === "string" ? quote(value) : value}`;
  }
  return `{${out}}`;
}

function check(leaf: Leaf): void {
  const [lo, hi] = leaf.time;
  for (const value of [leaf.log, leaf.index, lo, leaf.wallMs, leaf.sinceBootMs, hi ?? 0]) uint(value, "a number of the leaf");
  if (hi !== null && hi < lo) throw malformed("the time interval ends before it begins");
  text(leaf.boot, "boot", maxBootLength);
  name(leaf.node, "node", nodeName);
  name(leaf.action, "action", actionName);
  for (const [at, party] of [
    ["actor", leaf.actor],
    ["subject", leaf.subject],
  ] as const) {
    name(party.kind, `${at} kind`, kindName);
    text(party.id, `${at} id`, maxIdLength);
  }
  if (!OUTCOMES.includes(leaf.outcome)) throw malformed("the outcome is not on the list");
  if (leaf.code !== null) {
    name(leaf.code, "code", codeName);
    if (leaf.code.length > maxCodeLength) throw tooLarge("the code");
  }
  const fields = Object.entries(leaf.details);
  if (fields.length > maxDetails) throw tooLarge(`${fields.length} details`);
  for (const [field, value] of fields) {
    name(field, "detail name", fieldName);
    if (typeof value === "string") text(value, `details.${field}`, maxDetailLength);
    else if (typeof value === "number") uint(value, `details.${field}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw malformed("not JSON");
  }
}

function read(json: unknown): Leaf {
  const fields = object(json, "leaf");
  const time = fields["time"];
  if (!Array.isArray(time) || time.length !== 2) throw malformed("time is not an interval");
  const details = object(fields["details"], "details");
  for (const value of Object.values(details)) {
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean")
      throw malformed("a detail is no scalar");
  }
  return {
    log: fields["log"] as number,
    index: fields["index"] as number,
    time: [time[0] as number, time[1] as number | null],
    wallMs: fields["wallMs"] as number,
    boot: fields["boot"] as string,
    sinceBootMs: fields["sinceBootMs"] as number,
    node: fields["node"] as string,
    action: fields["action"] as string,
    actor: object(fields["actor"], "actor") as Leaf["actor"],
    subject: object(fields["subject"], "subject") as Leaf["subject"],
    outcome: fields["outcome"] as Outcome,
    code: fields["code"] === null ? null : (fields["code"] as string),
    details: details as Leaf["details"],
  };
}

function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(`${at} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}

function uint(value: unknown, at: string): void {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) {
    throw malformed(`${at} is not an unsigned integer up to 2^53 - 1`);
  }
}

function text(value: unknown, at: string, maxLength: number): void {
  if (typeof value !== "string" || !value.isWellFormed()) throw malformed(`${at} is not well-formed text`);
  if (value.length > maxLength) throw tooLarge(`${at} of ${value.length} characters`);
}

function name(value: unknown, at: string, pattern: RegExp): void {
  if (typeof value !== "string" || !pattern.test(value)) throw malformed(`${at} is not a name of its kind`);
}

function kindOf(value: DetailValue): string {
  return typeof value === "string" ? "text" : typeof value === "number" ? "uint" : "flag";
}

function malformed(why: string): AuditError {
  return new AuditError("AUDIT_LEAF_MALFORMED", why);
}

function tooLarge(what: string): AuditError {
  return new AuditError("AUDIT_LEAF_TOO_LARGE", `${what} does not fit into a leaf`);
}
