import t from "tap";
import { RowSeal } from "../../agent/store/row-seal.ts";
import { Secret, sameBytes, utf8 } from "../../protocol/base/index.ts";

/** From this many bytes on another cipher seals a row. */
const largeFrom = 4096;
const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));
const name = { table: "things", id: utf8("one"), version: 7 };
const seal = new RowSeal(new Secret(new Uint8Array(32).fill(9)), random);
const plainOf = (length: number) => Uint8Array.from({ length }, (_, at) => at % 251);

t.test("rows of every size open under their own name only", async (t) => {
  for (const length of [0, 1, largeFrom - 1, largeFrom, largeFrom + 1, 200_000]) {
    // A view, which the next one is written over.
    const sealed = seal.seal(name, plainOf(length)).slice();
    t.ok(sameBytes(seal.open(name, sealed), plainOf(length)), `${length} bytes`);
    t.notOk(sameBytes(seal.seal(name, plainOf(length)), sealed), "no nonce comes twice");
    const others = [
      { ...name, table: "thing" },
      { ...name, id: utf8("two") },
      { ...name, version: 8 },
    ];
    for (const other of others) t.throws(() => seal.open(other, sealed), { code: "STORE_DAMAGED" });
  }
});

t.test("a sealed row that was changed, cut or made longer does not open", async (t) => {
  for (const length of [100, largeFrom]) {
    // A view, which the next one is written over.
    const sealed = seal.seal(name, plainOf(length)).slice();
    for (const at of [0, 1, 12, 13, 24, 25, 40, sealed.length - 17, sealed.length - 16, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      t.throws(() => seal.open(name, changed), { code: "STORE_DAMAGED" }, `byte ${at} of ${sealed.length}`);
    }
    for (const cut of [0, 1, 12, 13, 29, sealed.length - 1])
      t.throws(
        () => seal.open(name, sealed.subarray(0, cut)),
        { code: "STORE_DAMAGED" },
        `the first ${cut} of ${sealed.length} bytes`,
      );
    t.throws(() => seal.open(name, new Uint8Array([...sealed, 0])), { code: "STORE_DAMAGED" }, "a byte more");
  }
});
