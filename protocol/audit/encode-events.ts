import { ACTOR_KINDS, AUDIT_ACTIONS, OUTCOMES, SUBJECT_KINDS } from "./actions.ts";
import type { AuditEvent } from "./event.ts";
import { encodeLeaf, type LeafPlace, leafOf, spellPlace } from "./leaf.ts";
import { maxDetailLength, maxIdLength } from "./limits.ts";

type Details = Readonly<Record<string, string | number | boolean | undefined>>;
type Party = { readonly kind: string; readonly id: string };

/** How an action's leaf begins, and its details in the order in which they are spelt. */
interface Spelling {
  readonly begin: string;
  readonly fields: readonly { readonly name: string; readonly kind: string; readonly spelt: string }[];
}

const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;
const kinds: ReadonlySet<string> = new Set([...ACTOR_KINDS, ...SUBJECT_KINDS]);
const outcomes: ReadonlySet<string> = new Set(OUTCOMES);
const spellings: ReadonlyMap<string, Spelling> = new Map(
  Object.entries(AUDIT_ACTIONS).map(([action, details]) => {
    const fields = Object.entries<string>(details).sort(([a], [b]) => (a < b ? -1 : 1));
    return [
      action,
      {
        begin: `,"action":"${action}","actor":`,
        fields: fields.map(([name, kind]) => ({ name, kind, spelt: `"${name}":` })),
      },
    ];
  }),
);

/**
 * The leaves of `events`, which happened at one moment, as `encodeLeaf` spells each; `first` is the place of the first. What is common to
 * them is checked and spelt once, and nearly every event needs no escapes and no second look. Throws AUDIT_LEAF_TOO_LARGE and AUDIT_LEAF_MALFORMED.
 */
export function encodeEvents(events: readonly AuditEvent[], first: LeafPlace): Uint8Array[] {
  const [head, ...rest] = events;
  if (head === undefined) return [];
  // Checks the place too, for all of them; the index stays below its limit for longer than any log grows.
  const leaves = [encodeLeaf(leafOf(head, first))];
  const { before, after } = spellPlace(first);
  for (const event of rest) {
    const index = first.index + leaves.length;
    const facts = spellCommon(event);
    leaves.push(
      facts === null
        ? encodeLeaf(leafOf(event, { ...first, index }))
        : Buffer.from(`${before}${index}${after}${facts}`, "latin1"),
    );
  }
  return leaves;
}

/** Null where it takes more than putting the parts together, or there is no such leaf. */
function spellCommon({ action, actor, subject, outcome, code, details }: AuditEvent): string | null {
  const spelling = spellings.get(action);
  if (spelling === undefined || (code ?? null) !== null || !outcomes.has(outcome)) return null;
  const spelt = spellDetails(spelling, details ?? {});
  if (spelt === null || !isCommon(actor) || !isCommon(subject)) return null;
  return (
    `${spelling.begin}{"kind":"${actor.kind}","id":"${actor.id}"},"subject":{"kind":"${subject.kind}","id":"${subject.id}"}` +
    `,"outcome":"${outcome}","code":null,"details":{${spelt}}}`
  );
}

function isCommon({ kind, id }: Party): boolean {
  return kinds.has(kind) && isPlain(id, maxIdLength);
}

function isPlain(text: string, most: number): boolean {
  return text.length <= most && plain.test(text);
}

function spellDetails({ fields }: Spelling, details: Details): string | null {
  let out = "";
  let spelt = 0;
  for (const field of fields) {
    const value = details[field.name];
    if (value === undefined) continue;
    if (!isOfKind(value, field.kind)) return null;
    out += spelt === 0 ? field.spelt : `,${field.spelt}`;
    out += typeof value === "string" ? `"${value}"` : value;
    spelt += 1;
  }
  // One that the action does not have, or that is left out by being undefined.
  return Object.keys(details).length === spelt ? out : null;
}

function isOfKind(value: string | number | boolean, kind: string): boolean {
  if (typeof value === "string") return kind === "text" && isPlain(value, maxDetailLength);
  if (typeof value === "number") return kind === "uint" && Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0);
  return kind === "flag";
}
