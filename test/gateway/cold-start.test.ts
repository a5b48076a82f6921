import t, { type Test } from "tap";
import { Closing } from "../../agent/closing/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode } from "../../agent/node/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { gatewayConfigSchema } from "../../gateway/config.ts";
import { openCore } from "../../gateway/core.ts";
import { utf8 } from "../../protocol/base/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import {
  type Content,
  type CredentialRole,
  encodeContent,
  entryType,
  fingerprintOf,
  makeFields,
} from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { PaperVault } from "../support/paper-vault.ts";

const seams = machineSeams();
const log = createLog({ level: "silent", node: "gateway" });
const fingerprintKey = new Uint8Array(32).fill(9);
const accounts = 12;

function id(kind: number, number: number): Uint8Array {
  return new Uint8Array(16).fill(kind).fill(number, 15);
}

function entry(entryId: Uint8Array, content: Content, number = 1): DesiredEntry {
  return { ...encodeContent(content), id: entryId, index: { epoch: 1, number }, authority: null };
}

function account(number: number, path = pathOf(number)): DesiredEntry {
  return entry(id(2, number), {
    kind: "account",
    deviceId: id(1, 0),
    path,
    username: `user-${number}`,
    rotate: "on-demand",
    intervalS: null,
    windowless: false,
    fingerprintKey,
    breakGlass: false,
    group: null,
    reconcileBy: null,
    rotateOn: 0,
    consumersReady: true,
  });
}

function credential(of: number, version: number, role: CredentialRole = "current"): DesiredEntry {
  const fields = makeFields([["password", utf8(`secret-${of}-${version}`)]]);
  const fingerprint = fingerprintOf(fingerprintKey, fields);
  const index = { epoch: 1, number: version };
  const accountId = id(2, of);
  return entry(id(3 + version, of), { kind: "credential", accountId, index, role, fields, fingerprint }, version + 1);
}

function pathOf(number: number): string {
  return `plant-1/meter/user-${number}`;
}

const all = Array.from({ length: accounts }, (_, i) => [account(i), credential(i, 0)]).flat();

/** A gateway that has joined with these entries, its store, and how a process of it begins. */
async function stopped(desired: readonly DesiredEntry[] = all) {
  const store = new MemoryStore();
  const vault = new PaperVault();
  const code = vault.enrol("gateway", nodeRole.gateway);
  const exchange = async (request: Uint8Array) => vault.answer(request, code, [...desired]);
  const member = await joinNode({ store, code, role: nodeRole.gateway, seams, exchange });
  const open = (t: Test, memoryOnly: string[] = []) => {
    const closing = new Closing();
    const close = () => closing.run();
    t.teardown(close);
    const config = gatewayConfigSchema.parse({ vault: null, memoryOnly });
    const { parts } = openCore({ store, config, seams, log, version: "0", folder: null, closing });
    const secret = (path: string) => {
      const found = parts.credentials.find(path);
      return found === null ? null : found.openFields().map(({ value }) => Buffer.from(value).toString());
    };
    const apply = (wanted: readonly DesiredEntry[]) =>
      parts.node.applyCarrier(vault.delta(member.nodeId, [...wanted]) ?? utf8(""));
    return { parts, secret, apply, close };
  };
  await open(t).close();
  return { store, open };
}

/** What one table holds. */
function rowsOf(store: MemoryStore, table: string) {
  return store.read((view) => view.scan(table, { limit: 100 }));
}

function restore(store: MemoryStore, table: string, rows: ReturnType<typeof rowsOf>): void {
  store.transaction((tx) => {
    for (const { id: row } of rowsOf(store, table)) tx.delete(table, row);
    for (const { id: row, value } of rows) tx.put(table, row, value);
  });
}

t.test("a start reads no account and no value before somebody asks for it", async (t) => {
  const { store, open } = await stopped();
  const asked = [entryType.account, entryType.credential];
  store.transaction((tx) => {
    // Whatever reads one of these fails.
    for (const { id: row } of tx.scan("entry", { limit: 100 }))
      if (asked.some((type) => type === (row[0] ?? 0) * 256 + (row[1] ?? 0)) && row.at(-1) !== 7)
        tx.put("entry", row, utf8("x"));
  });
  const { parts, secret } = open(t);
  t.equal(parts.credentials.count, accounts);
  t.same(secret(pathOf(7)), ["secret-7-0"]);
  t.same(parts.credentials.accountAt(pathOf(3)), id(2, 3));
  t.equal(secret("plant-1/meter/nobody"), null, "and it says at once what it does not hold");
  t.throws(() => secret(pathOf(3)), "planted: the others cannot be read at all");
});

t.test("the rows follow each bundle, in its own transaction", async (t) => {
  const { store, open } = await stopped();
  const { parts, secret, apply } = open(t);
  const rest = all.slice(6);
  t.match(apply([account(0, "plant-1/meter/renamed"), credential(0, 0), account(1), credential(1, 1), account(2), ...rest]), {
    outcome: "applied",
  });
  t.same(secret("plant-1/meter/renamed"), ["secret-0-0"]);
  t.equal(secret(pathOf(0)), null);
  t.same(secret(pathOf(1)), ["secret-1-1"]);
  t.equal(secret(pathOf(2)), null, "its value is gone");
  t.equal(parts.credentials.accountOf(id(2, 2)), null);
  t.equal(parts.credentials.accountOf(id(2, 1))?.path, pathOf(1));
  t.equal(parts.credentials.count, accounts - 1);

  const before = rowsOf(store, "account");
  store.failNext("STORE_IO");
  t.throws(() => apply(rest), { code: "STORE_IO" });
  t.same(rowsOf(store, "account"), before, "a bundle that is not applied changes none");
});

t.test("a store whose newest bundle another edition took in is read once, and its rows are whole again", async (t) => {
  const { store, open } = await stopped();
  const tables = ["account", "synced", "path-key"] as const;
  for (const table of tables) restore(store, table, []);
  const first = open(t);
  t.same(first.secret(pathOf(7)), ["secret-7-0"], "a store from before there were rows");
  const old = tables.map((table) => [table, rowsOf(store, table)] as const);
  first.apply([...all.slice(4), account(0), credential(0, 1)]);
  await first.close();
  for (const [table, rows] of old) restore(store, table, rows);
  const second = open(t);
  t.same(second.secret(pathOf(0)), ["secret-0-1"], "planted: rows from before the newest bundle");
  t.equal(second.secret(pathOf(1)), null, "and what it took away");
});

t.test("planted: a path that leads to another account serves nothing of it", async (t) => {
  const { store, open } = await stopped();
  const rows = rowsOf(store, "account");
  const moved = rows.map(({ id: row }, i) => ({ id: row, value: rows[(i + 1) % rows.length]?.value ?? row }));
  restore(store, "account", moved);
  const { secret, parts } = open(t);
  t.equal(secret(pathOf(7)), null);
  t.equal(parts.credentials.accountAt(pathOf(7)), null);
  t.equal(parts.credentials.accountOf(id(2, 7)), null);
});

t.test("a value that only memory holds is served from there, in no row, and gone with the process", async (t) => {
  const { store, open } = await stopped();
  const kept = ["plant-1/meter/user-7", "plant-1/meter/moved"];
  const first = open(t, kept);
  t.same(first.secret(pathOf(7)), ["secret-7-0"]);
  const inRow = () =>
    ["account", "entry"].some((table) => rowsOf(store, table).some(({ value }) => holds(value, "secret-7-0")));
  t.notOk(inRow());
  first.apply([...all.filter((_, at) => at !== 14), account(7, "plant-1/meter/moved")]);
  t.same(first.secret("plant-1/meter/moved"), ["secret-7-0"]);
  await first.close();
  const second = open(t, kept);
  t.throws(() => second.secret("plant-1/meter/moved"), { code: "API_MEMORY_ONLY" }, "also where its path is another since");
  t.equal(second.secret(pathOf(7)), null);
  t.same(second.secret(pathOf(6)), ["secret-6-0"]);
  t.ok(
    rowsOf(store, "entry").some(({ value }) => holds(value, "secret-6-0")),
    "planted: what is on the disk is found there",
  );
});

function holds(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes).includes(text);
}
