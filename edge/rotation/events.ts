import { everyRow } from "../../agent/node/index.ts";
import type { Store, Transaction, View } from "../../agent/store/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { asTuple, asUint, decodeTcbor, encodeTcbor, toHex } from "../../protocol/base/index.ts";
import { contentLimits, rotateOnBit } from "../../protocol/content/index.ts";
import type { RotationEffect } from "../../protocol/rotation/index.ts";
import { type Account, nameOf } from "./account.ts";
import type { Books } from "./commit.ts";
import { type Due, dueCauses } from "./due.ts";
import { revertedRotateAfterS } from "./limits.ts";
import { type AccountRecord, servedRef } from "./record.ts";

const table = "rotation-due";

/** Takes what the last process knew. */
export function loadDue(accounts: ReadonlyMap<string, Account>, view: View): void {
  for (const { id, value } of everyRow(view, table)) {
    const account = accounts.get(toHex(id));
    if (account !== undefined) account.due = decodeDue(value);
  }
}

/**
 * A person read the account's value: it is rotated once they had time to use it. False where the account does not ask for that, or is to be
 * rotated anyway. Throws STORE_*.
 */
export function notePersonRead(account: Account, { store, books }: { store: Store; books: Books }): boolean {
  const { content } = account;
  if (content === null || content.rotate === "never" || account.due !== null) return false;
  if ((content.rotateOn & rotateOnBit.personRead) === 0) return false;
  const due: Due = { cause: "person-read", atS: books.time().lo + contentLimits.personReadGraceS };
  store.transaction((tx) => {
    putDue(tx, account, due);
    books.audit.appendAll(tx, [dueEvent(account, due, books.self)]);
  });
  account.due = due;
  return true;
}

/** What an arrow makes of the account's due rotation: another served value ends it, and one that came back may call for one. */
export function dueAfter(account: Account, next: AccountRecord, effects: readonly RotationEffect[], nowS: number): Due | null {
  const reverted = effects.some((effect) => effect.kind === "report" && effect.report === "reverted");
  const asked = ((account.content?.rotateOn ?? 0) & rotateOnBit.revert) !== 0 && account.content?.rotate !== "never";
  if (reverted && asked) return { cause: "revert", atS: nowS + revertedRotateAfterS };
  return servedRef(next.state) === servedRef(account.record.state) ? account.due : null;
}

/** Stores it, in the arrow's transaction; the leaf where there is a new one. */
export function changeDue(tx: Transaction, account: Account, due: Due | null, self: string): readonly AuditEvent[] {
  if (due === account.due) return [];
  if (due !== null) {
    putDue(tx, account, due);
    return [dueEvent(account, due, self)];
  }
  tx.delete(table, account.id);
  return [];
}

function putDue(tx: Transaction, account: Account, { cause, atS }: Due): void {
  tx.put(table, account.id, encodeTcbor([dueCauses.indexOf(cause), atS]));
}

function decodeDue(bytes: Uint8Array): Due | null {
  const [cause, atS] = asTuple(decodeTcbor(bytes), "due", 2);
  const known = dueCauses[asUint(cause, "due.cause", 0xff)];
  return known === undefined ? null : { cause: known, atS: asUint(atS, "due.atS") };
}

function dueEvent(account: Account, { cause, atS }: Due, self: string): AuditEvent {
  return {
    action: "rotation.due",
    actor: { kind: "node", id: self },
    subject: { kind: "account", id: nameOf(account) },
    outcome: "ok",
    details: { cause, atMs: atS * 1000 },
  };
}
