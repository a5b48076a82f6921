import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sql } from "kysely";
import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { ColumnSeal } from "../../vault/master-key/index.ts";
import { credentialVersions, setCredential } from "../../vault/registry/index.ts";
import { storeErrorOf } from "../../vault/store/codes.ts";
import { openVaultStore } from "../../vault/store/index.ts";
import { masterKey, password, plantPump, random, registryContext } from "./rig.ts";

const { clock } = machineSeams();

function storeFile(t: { teardown(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-vault-"));
  t.teardown(() => rmSync(folder, { recursive: true }));
  return join(folder, "node.db");
}

t.test("a transaction that throws leaves nothing, and the next one works", async (t) => {
  const store = await openVaultStore({ path: storeFile(t), clock });
  t.teardown(() => store.close());
  const add = (name: string) => ({ name, created_at: 1 });
  await t.rejects(
    store.transaction(async (tx) => {
      await tx.insertInto("zones").values(add("half")).execute();
      throw new Error("stop");
    }),
    { message: "stop" },
  );
  await store.transaction((tx) => tx.insertInto("zones").values(add("whole")).execute());
  t.same(
    (await store.read((tx) => tx.selectFrom("zones").select("name").execute())).map((row) => row.name),
    ["whole"],
  );
});

t.test("transactions of one handle wait for each other", async (t) => {
  const store = await openVaultStore({ path: ":memory:", clock });
  t.teardown(() => store.close());
  await store.transaction((tx) => tx.insertInto("leases").values({ name: "n", holder: "", until_ms: 0 }).execute());
  const bump = () =>
    store.transaction(async (tx) => {
      const { until_ms } = await tx.selectFrom("leases").select("until_ms").executeTakeFirstOrThrow();
      await tx
        .updateTable("leases")
        .set({ until_ms: until_ms + 1 })
        .execute();
      return until_ms;
    });
  const seen = await Promise.all(Array.from({ length: 50 }, bump));
  t.equal(new Set(seen).size, 50);
});

t.test("two processes on one file take each number once", async (t) => {
  const path = storeFile(t);
  const store = await openVaultStore({ path, clock });
  const account = await plantPump(store, registryContext());
  await store.close();
  const child = fileURLToPath(new URL("./second-process.ts", import.meta.url));
  const run = () => promisify(execFile)(process.execPath, [child, path, "25"]);
  const printed = await Promise.all([run(), run()]);
  const numbers = printed.flatMap(({ stdout }) => JSON.parse(stdout) as number[]);
  t.equal(numbers.length, 50);
  t.equal(new Set(numbers).size, 50, "no number twice");
  const again = await openVaultStore({ path, clock });
  t.teardown(() => again.close());
  const versions = await again.read((tx) => credentialVersions(registryContext(), tx, account.account_id));
  t.equal(versions.length, 150, "each value set brought two more into the pool, and none was deleted");
  t.equal(versions.filter(({ status }) => status === "acknowledged").length, 1);
  t.equal(versions.filter(({ status }) => status === "issued").length, 2);
});

t.test("a store of a newer version, and a foreign file are refused by name", async (t) => {
  const path = storeFile(t);
  await (await openVaultStore({ path, clock })).close();
  const raw = new DatabaseSync(path);
  raw.exec("insert into migrations values (9999, 'from the future', 0)");
  raw.close();
  await t.rejects(openVaultStore({ path, clock }), { code: "VAULT_STORE_FOREIGN" });
  const other = join(path, "..", "other.db");
  writeFileSync(other, "not a database, but long enough to be read as a header of one".repeat(20));
  await t.rejects(openVaultStore({ path: other, clock }), { code: "VAULT_STORE_FOREIGN" });
});

t.test("a full disk stops the writer until a restart, and reads go on", async (t) => {
  const store = await openVaultStore({ path: storeFile(t), clock });
  t.teardown(() => store.close());
  const zone = (name: string) => store.transaction((tx) => tx.insertInto("zones").values({ name, created_at: 1 }).execute());
  await zone("before");
  await store.transaction((tx) => sql`pragma max_page_count = 1`.execute(tx));
  const fill = async () => {
    for (let i = 0; i < 200; i += 1) await zone(`${i} ${"x".repeat(4000)}`);
  };
  await t.rejects(fill(), { code: "VAULT_STORE_NO_SPACE" });
  t.equal(store.stopped, "VAULT_STORE_NO_SPACE");
  await t.rejects(zone("after"), { code: "VAULT_STORE_STOPPED" });
  t.ok((await store.read((tx) => tx.selectFrom("zones").select("name").execute())).some(({ name }) => name === "before"));
});

t.test("what SQLite reports has its own code, and what is a mistake of ours has none", async (t) => {
  const cases: [number, string | undefined][] = [
    [5, "VAULT_STORE_BUSY"],
    [261, "VAULT_STORE_BUSY"],
    [10, "VAULT_STORE_IO"],
    [1034, "VAULT_STORE_IO"],
    [14, "VAULT_STORE_IO"],
    [11, "VAULT_STORE_DAMAGED"],
    [13, "VAULT_STORE_NO_SPACE"],
    [26, "VAULT_STORE_FOREIGN"],
    [1, undefined],
    [19, undefined],
  ];
  for (const [errcode, code] of cases)
    t.equal(storeErrorOf(Object.assign(new Error("sqlite"), { errcode }))?.code, code, `${errcode}`);
  t.equal(storeErrorOf(new Error("another")), null);
});

t.test("a sealed column opens in its own place under its own key only", async (t) => {
  const seal = new ColumnSeal(new Secret(masterKey), random);
  const place = { table: "credentials", row: utf8("row"), column: "fields" };
  const sealed = seal.seal(place, utf8("secret"));
  t.same(seal.open(place, sealed), utf8("secret"));
  t.notSame(seal.seal(place, utf8("secret")), sealed, "no two seals are alike");
  const places = [
    { ...place, table: "secrets" },
    { ...place, row: utf8("rox") },
    { ...place, column: "fielde" },
    { ...place, version: 1 },
  ];
  for (const other of places) t.throws(() => seal.open(other, sealed), { code: "MASTER_KEY_OPEN_FAILED" });
  const foreign = new ColumnSeal(new Secret(new Uint8Array(32)), random);
  t.throws(() => foreign.open(place, sealed), { code: "MASTER_KEY_OPEN_FAILED" });
  for (let i = 0; i < sealed.length; i += 1) {
    const flipped = sealed.slice();
    flipped[i] = (flipped[i] ?? 0) ^ 1;
    t.throws(() => seal.open(place, flipped), { code: "MASTER_KEY_OPEN_FAILED" });
    t.throws(() => seal.open(place, sealed.subarray(0, i)), { code: "MASTER_KEY_OPEN_FAILED" });
  }
});

t.test("no secret value lies on the disk in the clear", async (t) => {
  const path = storeFile(t);
  const store = await openVaultStore({ path, clock });
  const account = await plantPump(store, registryContext());
  await store.transaction((tx) => setCredential(registryContext(), tx, account, password("marker-9f2c7d1b")));
  const search = (needle: string) =>
    readdirSync(join(path, "..")).some((name) => readFileSync(join(path, "..", name)).includes(needle));
  t.ok(search("plant/pump/operator"), "the search finds what is in the clear");
  t.notOk(search("marker-9f2c7d1b"));
  await store.close();
  t.notOk(search("marker-9f2c7d1b"));
});
