import t from "tap";
import { EscrowBook } from "../../edge/escrow.ts";
import { allDue, dueAccounts, tables } from "../../edge/rotation/index.ts";
import { PaperVault } from "../support/paper-vault.ts";
import { accountId, RotationRig } from "./rotation-rig.ts";

const context = new Uint8Array(9);

/** A book over an account whose candidates changed. */
function due() {
  const { store } = new RotationRig();
  const vault = new PaperVault();
  const book = new EscrowBook(store, 1);
  store.transaction((tx) => {
    for (const { id, row } of allDue(tx)) tx.put(tables.escrow, id, row);
  });
  const node = { nodeId: new Uint8Array(20), trust: vault.trust };
  return { store, vault, book, node, left: () => store.read(dueAccounts).length };
}

t.test("what a report carried is due no more once it is acknowledged, over a restart too", (t) => {
  const { store, book, node, left } = due();
  t.ok(store.transaction((tx) => book.seal(tx, context, node)));
  t.equal(left(), 1, "sealed is not acknowledged");
  new EscrowBook(store, 1).acknowledged();
  t.equal(left(), 0);
  t.equal(
    store.transaction((tx) => book.seal(tx, context, node)),
    null,
  );
  t.end();
});

t.test("a report that was not stored carried nothing: its candidates stay due", (t) => {
  const { store, vault, book, node, left } = due();
  vault.raiseRoot({ vaultEpoch: 2 });
  const fails = () =>
    store.transaction((tx) => {
      book.seal(tx, context, { ...node, trust: vault.trust });
      throw new Error("no space");
    });
  t.throws(fails, { message: "no space" });
  book.acknowledged();
  t.equal(left(), 1);
  t.notOk(book.settled(vault.trust), "nor does the vault know of the restored epoch's candidates");
  t.end();
});

t.test("candidates that changed after the report was sealed are due again", (t) => {
  const { store, book, node, left } = due();
  store.transaction((tx) => book.seal(tx, context, node));
  store.transaction((tx) => tx.put(tables.escrow, accountId, Uint8Array.of(1)));
  book.acknowledged();
  t.equal(left(), 1);
  t.end();
});
