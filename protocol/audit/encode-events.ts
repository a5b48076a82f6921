import { ACTOR_KINDS, AUDIT_ACTIONS, type DetailKind, OUTCOMES, SUBJECT_KINDS } from "./actions.ts";
import type { AuditEvent } from "./event.ts";
import { encodeLeaf, type LeafPlace, leafOf, spellPlace } from "./leaf.ts";
import { digitsOf, LeafWriter, notSmall } from "./leaf-writer.ts";
import { maxDetailLength, maxIdLength } from "./limits.ts";

type Details = Readonly<Record<string, string | number | boolean | undefined>>;

/** A detail of an action: how it begins where it is the first and where it follows another. */
interface Field {
  readonly name: string;
  readonly kind: DetailKind;
  readonly begin: { readonly first: Uint8Array; readonly other: Uint8Array };
}

/** How an action's leaf goes on behind its place, and its details in the order in which they are spelt. */
interface Spelling {
  readonly begin: Uint8Array;
  readonly fields: readonly Field[];
}

const ascii = (text: string) => new Uint8Array(Buffer.from(text, "latin1"));
const eachOf = <Name extends string>(names: readonly Name[], spell: (name: Name) => string): ReadonlyMap<string, Uint8Array> =>
  new Map(names.map((name) => [name, ascii(spell(name))]));

const actors = eachOf(ACTOR_KINDS, (kind) => `{"kind":"${kind}","id":"`);
const subjects = eachOf(SUBJECT_KINDS, (kind) => `"},"subject":{"kind":"${kind}","id":"`);
const outcomes = eachOf(OUTCOMES, (outcome) => `"},"outcome":"${outcome}","code":null,"details":{`);
const [textEnd, end] = [ascii('"'), ascii("}}")];
const flags = { true: ascii("true"), false: ascii("false") };
const spellings: ReadonlyMap<string, Spelling> = new Map(
  Object.entries(AUDIT_ACTIONS).map(([action, details]) => {
    const fields = Object.entries<DetailKind>(details).sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      action,
      { begin: ascii(`,"action":"${action}","actor":`), fields: fields.map(([name, kind]) => fieldOf(name, kind)) },
    ];
  }),
);

function fieldOf(name: string, kind: DetailKind): Field {
  const begin = `"${name}":${kind === "text" ? '"' : ""}`;
  return { name, kind, begin: { first: ascii(begin), other: ascii(`,${begin}`) } };
}

/**
 * The leaves of `events`, which happened at one moment, as `encodeLeaf` spells each. What is common to them is checked and spelt once, and
 * nearly every event needs no escapes and no second look. `first` is the place of the first. Throws AUDIT_LEAF_TOO_LARGE and AUDIT_LEAF_MALFORMED.
 */
export function encodeEvents(events: readonly AuditEvent[], first: LeafPlace): Uint8Array[] {
  const [head, ...rest] = events;
  if (head === undefined) return [];
  // Checks the place too, for all of them; the index stays below its limit for longer than any log grows.
  const leaves = [encodeLeaf(leafOf(head, first))];
  if (rest.length === 0) return leaves;
  const common = new CommonLeaves(first, rest.length);
  for (const event of rest) {
    const index = first.index + leaves.length;
    leaves.push(common.leafOf(event, index) ?? encodeLeaf(leafOf(event, { ...first, index })));
  }
  return leaves;
}

/** Leaves that take no more than putting the parts together. */
class CommonLeaves {
  readonly #writer: LeafWriter;
  readonly #before: Uint8Array;
  readonly #after: Uint8Array;
  #left: number;
  /** The event of the leaf before, and of that leaf how many bytes there are up to the index's end, the actor's id and the subject's id. */
  #last: AuditEvent | null = null;
  #indexEnd = 0;
  #actorAt = 0;
  #subjectAt = 0;

  constructor(place: LeafPlace, leaves: number) {
    const { before, after } = spellPlace(place);
    this.#before = ascii(before);
    this.#after = ascii(after);
    this.#writer = new LeafWriter(leaves);
    this.#left = leaves;
  }

  /** Null where it takes more than that, or there is no such leaf. */
  leafOf(event: AuditEvent, index: number): Uint8Array | null {
    const writer = this.#writer;
    const spelling = spellings.get(event.action);
    const outcome = outcomes.get(event.outcome);
    writer.begin(this.#left);
    this.#left -= 1;
    if (spelling === undefined || outcome === undefined || (event.code ?? null) !== null) return null;
    if (!this.#writeBegin(event, index, spelling)) return null;
    if (!writer.text(event.subject.id, maxIdLength)) return null;
    writer.constant(outcome);
    if (!writeDetails(writer, spelling, event.details ?? {})) return null;
    writer.constant(end);
    this.#last = event;
    return writer.take();
  }

  /** Everything before the subject's id. */
  #writeBegin(event: AuditEvent, index: number, spelling: Spelling): boolean {
    const writer = this.#writer;
    const { actor, subject } = event;
    const last = this.#last;
    const sameActor = last !== null && last.action === event.action && last.actor.kind === actor.kind;
    const same = sameActor && last.actor.id === actor.id && last.subject.kind === subject.kind;
    // What is written from here on stands in no leaf that was taken.
    this.#last = null;
    if (sameActor && this.#repeat(same ? this.#subjectAt : this.#actorAt, index)) {
      if (same) return true;
    } else if (!this.#writeUpToActor(actor.kind, index, spelling)) return false;
    const subjectBegin = subjects.get(subject.kind);
    if (subjectBegin === undefined || !writer.text(actor.id, maxIdLength)) return false;
    writer.constant(subjectBegin);
    this.#subjectAt = writer.length;
    return true;
  }

  /** The first `length` bytes of the leaf before with another index, where that one has as many digits. */
  #repeat(length: number, index: number): boolean {
    const asLong = index < notSmall && digitsOf(index) === this.#indexEnd - this.#before.length;
    if (!asLong || !this.#writer.repeat(length)) return false;
    this.#writer.uintOver(index, this.#indexEnd);
    return true;
  }

  #writeUpToActor(kind: string, index: number, { begin }: Spelling): boolean {
    const writer = this.#writer;
    const actorBegin = actors.get(kind);
    if (actorBegin === undefined) return false;
    writer.constant(this.#before);
    writer.uint(index);
    this.#indexEnd = writer.length;
    writer.constant(this.#after);
    writer.constant(begin);
    writer.constant(actorBegin);
    this.#actorAt = writer.length;
    return true;
  }
}

function writeDetails(writer: LeafWriter, { fields }: Spelling, details: Details): boolean {
  let written = 0;
  for (const { name, kind, begin } of fields) {
    const value = details[name];
    if (value === undefined) continue;
    writer.constant(written === 0 ? begin.first : begin.other);
    if (!writeValue(writer, kind, value)) return false;
    written += 1;
  }
  // One that the action does not have, or that is left out by being undefined.
  return Object.keys(details).length === written;
}

function writeValue(writer: LeafWriter, kind: DetailKind, value: string | number | boolean): boolean {
  if (typeof value === "number") return kind === "uint" && writer.uint(value);
  if (typeof value === "boolean") {
    writer.constant(value ? flags.true : flags.false);
    return kind === "flag";
  }
  if (kind !== "text" || !writer.text(value, maxDetailLength)) return false;
  writer.constant(textEnd);
  return true;
}
