import { assert, type Random, sameBytes, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import {
  applyStatements,
  decodeMember,
  decodeRevoked,
  decodeRoot,
  startTrust,
  type TrustState,
} from "../../protocol/trust/index.ts";
import type { VaultTransaction } from "../store/index.ts";

type StatementKind = "root" | "member" | "revoked";

/** Statements handed to one call of the protocol's trust: its own bound on a carrier. */
const batch = 16;
const noSubject = new Uint8Array(0);

/** Names the set of stored statements; another value whenever it changed. */
const markName = "statements-mark";

/** Transactions that have stored a statement themselves. */
const storing = new WeakSet<VaultTransaction>();

/** Stores a signed statement under what it is about. */
export async function putStatement(tx: VaultTransaction, statement: Uint8Array, random: Random): Promise<void> {
  storing.add(tx);
  const value = random(16);
  await tx
    .insertInto("settings")
    .values({ name: markName, value })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
    .execute();
  await tx
    .insertInto("statements")
    .values({ ...placeOf(statement), statement })
    .execute();
}

/** The newest statement about `nodeId`, or null. */
export async function memberStatement(tx: VaultTransaction, nodeId: Uint8Array): Promise<Uint8Array | null> {
  const row = await tx
    .selectFrom("statements")
    .select("statement")
    .where("kind", "=", "member")
    .where("subject", "=", nodeId)
    .orderBy("serial", "desc")
    .executeTakeFirst();
  return row?.statement ?? null;
}

/**
 * The vault's trust state, read again whenever the store's set of statements is another one: the mark is read in the caller's
 * transaction, so what another process stored is seen, and what a transaction took back is forgotten.
 */
export class TrustReader {
  #state: TrustState | null = null;
  #mark: Uint8Array = noSubject;
  #seen: ReadonlySet<string> = new Set();
  /** What each open transaction has read: nobody but itself can change it there. */
  readonly #within = new WeakMap<VaultTransaction, TrustState>();

  /** The trust state as of this transaction. */
  async read(tx: VaultTransaction): Promise<TrustState> {
    const known = this.#within.get(tx);
    if (known !== undefined && !storing.has(tx)) return known;
    const state = await this.#standing(tx);
    this.#within.set(tx, state);
    return state;
  }

  async #standing(tx: VaultTransaction): Promise<TrustState> {
    const row = await tx.selectFrom("settings").select("value").where("name", "=", markName).executeTakeFirstOrThrow();
    if (this.#state !== null && sameBytes(row.value, this.#mark)) return this.#state;
    const rows = await tx.selectFrom("statements").selectAll().orderBy("serial").execute();
    const all = new Map(rows.map((each) => [`${each.kind}/${toHex(each.subject)}/${each.serial}`, each]));
    const kept = [...this.#seen].every((key) => all.has(key)) ? this.#state : null;
    const fresh = [...all].filter(([key]) => kept === null || !this.#seen.has(key)).map(([, each]) => each);
    this.#state = extended(kept, fresh);
    this.#mark = row.value;
    this.#seen = new Set(all.keys());
    return this.#state;
  }
}

interface StatementRow {
  readonly kind: string;
  readonly statement: Uint8Array;
}

function extended(before: TrustState | null, rows: readonly StatementRow[]): TrustState {
  const of = (kind: StatementKind) => rows.filter((row) => row.kind === kind).map(({ statement }) => statement);
  const rest = [...of("root"), ...of("member"), ...of("revoked")];
  let state = before ?? firstTrust(of("root"));
  for (let from = 0; from < rest.length; from += batch) state = applyStatements(state, rest.slice(from, from + batch)).state;
  return state;
}

function firstTrust(roots: readonly Uint8Array[]): TrustState {
  const [first] = roots;
  assert(first !== undefined, "a vault's store holds its root document");
  return startTrust([first], { version: 1, id: decodeEnvelope(first).id });
}

function placeOf(statement: Uint8Array): { kind: StatementKind; subject: Uint8Array; serial: number } {
  const { type, payload } = decodeEnvelope(statement);
  if (type === "root") return { kind: "root", subject: noSubject, serial: decodeRoot(payload).version };
  if (type === "revoked") return { kind: "revoked", subject: noSubject, serial: decodeRevoked(payload).version };
  const member = decodeMember(payload);
  return { kind: "member", subject: member.nodeId, serial: member.serial };
}
