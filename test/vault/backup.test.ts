import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { lockDataFolder, openDataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { createKeyFile, openSealKey } from "../../agent/seal-key/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { writeBackup } from "../../vault/backup/index.ts";
import { pieceBytes } from "../../vault/backup/limits.ts";
import { type RestoreOptions, restoreVault } from "../../vault/restore-vault.ts";
import { random } from "./rig.ts";
import { VaultRig } from "./vault-rig.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const path = "plant/pump/operator";
const secret = "First-live1";
const enrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

/** A vault that runs with one account, and a backup of it. */
async function backedUp(t: Test) {
  const rig = await VaultRig.make(t);
  await rig.join(t, enrolment);
  await rig.addPump("plant");
  await rig.setPassword(path, secret);
  const parent = join(rig.folder, "..");
  const file = join(parent, "vault.backup");
  await writeBackup(rig.core, openDataFolder(rig.folder), file);
  const restore = (more: Partial<RestoreOptions> = {}) =>
    restoreVault({
      file,
      path: join(parent, "r"),
      unlock: { kind: "key-file", path: join(parent, "key") },
      roots: [],
      rootKeys: [],
      keepTokens: false,
      version: "test",
      seams: rig.seams,
      log: createLog({ level: "silent", node: "vault" }),
      ...more,
    });
  const rootKey = async () => {
    const unlock = { kind: "key-file", path: join(parent, "key") } as const;
    return (await openSealKey({ path: join(rig.folder, "keys", "root.sealed"), unlock })).use(signingKeyFromSeed);
  };
  return { rig, parent, file, restore, rootKey };
}

t.test("a backup of a running vault holds all that was committed, and nothing that can be read", async (t) => {
  const { rig, parent, file, restore } = await backedUp(t);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const bytes = readFileSync(file);
  for (const text of [secret, path, "operator", "10.0.0.9", "SQLite", "plant.example"])
    t.notOk(bytes.includes(text), `${text} cannot be read`);
  t.ok(readFileSync(join(rig.folder, "node.db-wal")).length > 0, "the last commits stand in the journal only");

  const restored = await restore();
  t.match(restored, { raised: false, vaultEpoch: 1, voided: { codes: 0, orders: 0 } });
  await rig.vault.close();
  const after = await rig.openFolder(join(parent, "r"));
  const shown = (await after.call("POST", "/v1/credentials/reveal", { path })) as { fields: Record<string, string> };
  t.equal(Buffer.from(shown.fields["password"] ?? "", "base64").toString(), secret);
  t.same(
    readdirSync(parent).filter((name) => name.startsWith(".")),
    [],
    "nothing is left beside it",
  );
});

t.test("a file that is not the whole backup puts nothing in place", async (t) => {
  const { parent, file, restore } = await backedUp(t);
  const good = readFileSync(file);
  const bad = join(parent, "bad");
  const refused = async (bytes: Uint8Array, code: string, name: string) => {
    writeFileSync(bad, bytes);
    await t.rejects(restore({ file: bad }), { code }, name);
    t.notOk(existsSync(join(parent, "r")), "nothing stands in its place");
  };
  for (const length of [0, 5, 20, 60, 300, good.length - 1, good.length - 20_000])
    await refused(good.subarray(0, length), "BACKUP_CUT", `cut at ${length}`);
  const headerEnd = 18 + 4 + good.readUInt32BE(18) + 32;
  for (const at of [30, headerEnd - 1, headerEnd, headerEnd + 50_000, good.length - 1]) {
    const flipped = Buffer.from(good);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    await refused(flipped, "BACKUP_DAMAGED", `flipped at ${at}`);
  }
  await refused(Buffer.concat([good, Buffer.of(0)]), "BACKUP_DAMAGED", "one byte more");
  await refused(Buffer.from("tidegate-backup/2\nand so on"), "BACKUP_FOREIGN", "a newer version");
  await refused(Buffer.from("SQLite format 3"), "BACKUP_FOREIGN", "another file");
  await t.rejects(restore({ file: join(parent, "absent") }), { code: "BACKUP_FILE", hint: /./ });
  await t.rejects(restore({ file: parent }), { code: "BACKUP_FILE", hint: /./ }, "a folder");
});

t.test("pieces of a large backup cannot change places", async (t) => {
  const { rig, parent, restore } = await backedUp(t);
  const yaml = "x".repeat(60_000);
  for (let i = 0; i < 45; i += 1) {
    const values = { id: random(16), name: `m${i}`, yaml, constraints: "{}", updated_at: 0 };
    await rig.core.store.transaction((tx) => tx.insertInto("models").values(values).execute());
  }
  const file = join(parent, "large");
  await writeBackup(rig.core, openDataFolder(rig.folder), file);
  const good = readFileSync(file);
  const from = 18 + 4 + good.readUInt32BE(18) + 32;
  const size = pieceBytes + 16;
  t.ok(good.length > from + 2 * size, "three pieces");
  const pieces = [good.subarray(from, from + size), good.subarray(from + size, from + 2 * size)] as const;
  writeFileSync(file, Buffer.concat([good.subarray(0, from), pieces[1], pieces[0], good.subarray(from + 2 * size)]));
  await t.rejects(restore({ file }), { code: "BACKUP_DAMAGED" });
  writeFileSync(file, good);
  await restore({ file });
});

t.test("a backup opens with the vault's own key, into a folder that nobody uses", async (t) => {
  const { rig, parent, restore } = await backedUp(t);
  createKeyFile(join(parent, "other"), random);
  await t.rejects(restore({ unlock: { kind: "key-file", path: join(parent, "other") } }), { code: "SEAL_KEY_REFUSED" });
  t.notOk(existsSync(join(parent, "r")));
  await t.rejects(restore({ path: rig.folder }), { code: "VAULT_FOLDER_NOT_EMPTY" });
  const lock = lockDataFolder(openDataFolder(rig.folder));
  await t.rejects(restore({ path: rig.folder }), { code: "DATA_LOCKED" }, "a vault runs there");
  lock.release();
  mkdirSync(join(parent, "r"));
  await restore();
  await t.rejects(restore(), { code: "VAULT_FOLDER_NOT_EMPTY" });
});

t.test("a backup that does not read back is not left behind", async (t) => {
  const { rig, parent } = await backedUp(t);
  const folder = openDataFolder(rig.folder);
  const file = join(parent, "second");
  await t.rejects(
    writeBackup(rig.core, folder, join(parent, "vault.backup")),
    { code: "BACKUP_FILE", hint: /./ },
    "there is one",
  );
  await t.rejects(writeBackup(rig.core, folder, join(parent, "no", "where")), { code: "BACKUP_FILE", hint: /./ });
  const image = await rig.core.store.image();
  const damaged = { ...rig.core, store: { ...rig.core.store, image: async () => image.fill(7, 4096, 8192) } };
  await t.rejects(writeBackup(damaged, folder, file), { code: "BACKUP_STORE_DAMAGED" }, "the store itself");

  // A disk that loses what was written, while the writer waits for its turn.
  const losing = async (): Promise<void> => {
    for (let turn = 0; turn < 10_000; turn += 1) {
      const temporary = readdirSync(parent).find((name) => name.startsWith("second."));
      if (temporary !== undefined) return truncateSync(join(parent, temporary), 5000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [written] = await Promise.allSettled([writeBackup(rig.core, folder, file), losing()]);
  t.match(written, { status: "rejected", reason: { code: "BACKUP_NOT_VERIFIED" } });
  t.same(
    readdirSync(parent).filter((name) => name.startsWith("second")),
    [],
  );
});

t.test("what stood open at the time of the backup is void, and what is given out afterwards is good", async (t) => {
  const { rig, parent, restore, rootKey } = await backedUp(t);
  const file = join(parent, "open");
  await rig.call("POST", "/v1/codes", { ...enrolment, name: "edge-2", zone: "other" });
  await rig.call("POST", "/v1/applications", { name: "scada" });
  await rig.call("POST", "/v1/applications/scada/token");
  await rig.call("POST", "/v1/applications/scada/grants", { pattern: path });
  await rig.call("POST", "/v1/orders", { path, action: "rotate" });
  await rig.call("POST", "/v1/leases", { application: "scada", pattern: path, forS: 600 });
  await writeBackup(rig.core, openDataFolder(rig.folder), file);

  const restored = await restore({ file, rootKeys: [await rootKey()] });
  t.match(restored, {
    raised: true,
    vaultEpoch: 2,
    rootVersion: 2,
    voided: { codes: 1, leases: 1, orders: 1, tokens: ["scada"] },
  });
  const kept = await restore({ file, path: join(parent, "k"), keepTokens: true });
  t.same(kept.voided.tokens, []);

  await rig.vault.close();
  const after = await rig.openFolder(join(parent, "k"));
  const [edge] = (await after.core.store.read((tx) => tx.selectFrom("nodes").select("node_id").execute())) ?? [];
  const waiting = await after.outbox(edge?.node_id ?? new Uint8Array(0));
  await after.setPassword(path, "Second-live");
  t.equal((await after.outbox(edge?.node_id ?? new Uint8Array(0))).length, waiting.length, "nothing is issued");
  t.match(await after.call("GET", "/v1/nodes"), [{ name: "edge-1", state: "behind" }]);
});
