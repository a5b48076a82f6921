import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import t from "tap";
import { loadConfig } from "../../agent/config/index.ts";
import type { DataFolder } from "../../agent/data-folder/index.ts";
import type { CredentialSource } from "../../agent/local-api/index.ts";
import { everyRow, nodeHealth, openNodeStore } from "../../agent/node/index.ts";
import { openSealKey } from "../../agent/seal-key/index.ts";
import { edgeConfigSchema, start } from "../../edge/index.ts";
import { type Secret, sameBytes } from "../../protocol/base/index.ts";
import { random } from "../vault/rig.ts";
import { MediaRig } from "./media-rig.ts";
import { raiseEpoch } from "./raise-epoch.ts";

const path = "plant/pump/operator";
const first = "marker-first-1";
const second = "marker-second-2";
const unrotated = { name: "operator", username: "operator", rotate: "never" };
const rule = { pattern: "plant/**", whenStale: "serve", memoryOnly: true };

function readAt(source: CredentialSource): string {
  const found = source.find(path);
  return (found?.openFields() ?? []).map(({ value }) => Buffer.from(value).toString()).join();
}

t.test("a value held in memory only is on no disk, is served, ends with the process and comes again by stick", async (t) => {
  const rig = await MediaRig.make(t);
  let edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant", { accounts: [unrotated] });
  await rig.vault.setPassword(path, first);
  /** Each stick is new; a node's report goes home, and what the vault has then comes back. */
  const round = async () => {
    const [up, down] = [rig.stick(), rig.stick()];
    await edge.write(up);
    await rig.atVault.read(up);
    await rig.atVault.write(down);
    return edge.read(down);
  };
  await round();
  t.equal(readAt(edge.core.credentials), first);
  t.same(
    edge.store.tablesWith(first),
    ["candidate", "entry"],
    "without a rule the disk holds it: the search finds what is there",
  );

  await rig.vault.call("PUT", "/v1/freshness", { ...rule, pattern: "plant/pump" });
  await round();
  t.equal(readAt(edge.core.credentials), first, "it is served from memory");
  t.same(edge.store.tablesWith(first), [], "what lay on the disk is gone");
  await rig.vault.setPassword(path, second);
  await round();
  t.equal(readAt(edge.core.credentials), second);
  t.same(edge.store.tablesWith(second), []);
  t.match(edge.core.node.status().memoryOnly, { held: 1, gone: 0, onDisk: [] });
  t.equal(edge.core.engine.accounts.size, 0, "no login is made with it");

  await edge.close();
  edge = rig.openEdge(edge.store.reopen());
  t.match(edge.core.node.status().memoryOnly, { held: 0, gone: 1 });
  const red = () => {
    const hop = { to: "gateway", status: () => null, nowMs: () => 0 } as const;
    return nodeHealth({ ...edge.core, hop }).checks.find(({ name }) => name === "memory-only")?.detail;
  };
  t.match(red(), /^1 values .* by a stick that is written here, read and written at the vault, and read here$/);
  t.throws(() => edge.core.credentials.find(path), { code: "API_MEMORY_ONLY", retryable: true });
  t.equal(edge.core.node.memoryOnly("plant/pump/other"), null);
  await rig.vault.setPassword(path, first);
  const waiting = rig.stick();
  await rig.atVault.write(waiting);
  t.match(await edge.read(waiting), [{ refusals: [{ code: "BUNDLE_BASE_MISMATCH" }] }], "a change alone is not enough");
  t.throws(() => edge.core.credentials.find(path), { code: "API_MEMORY_ONLY" });
  await round();
  t.equal(readAt(edge.core.credentials), first, "the snapshot that it asked for by itself brought it");
  t.equal(red(), undefined);
  t.match(edge.core.node.status(), { memoryOnly: { held: 1, gone: 0 }, mode: "NORMAL" });
  t.same(edge.store.tablesWith(first), []);

  await rig.vault.call("DELETE", "/v1/freshness?pattern=plant/pump");
  await round();
  t.equal(readAt(edge.core.credentials), first);
  t.same(edge.store.tablesWith(first), ["candidate", "entry"], "without the rule it is kept again");
  t.equal(edge.core.engine.accounts.size, 1);
});

t.test("what comes ahead of a gap is not laid on the disk to wait where values are held in memory only", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant", { accounts: [unrotated] });
  await rig.vault.call("PUT", "/v1/freshness", rule);
  await rig.vault.setPassword(path, first);
  const bring = async () => {
    const stick = rig.stick();
    await rig.atVault.write(stick);
    return edge.read(stick);
  };
  await bring();
  const before = await rig.vault.outbox(edge.core.node.nodeId);
  for (const value of [second, first]) await rig.vault.setPassword(path, value);
  const [, ahead] = (await rig.vault.outbox(edge.core.node.nodeId)).filter(
    (each) => !before.some((one) => sameBytes(one, each)),
  );
  t.match(edge.core.node.applyCarrier(ahead ?? new Uint8Array(0)), { outcome: "refused", code: "NODE_MEMORY_ONLY_GAP" });
  t.match(edge.core.node.status(), { heldItems: 0 });
  t.same(edge.store.tablesWith(first), []);
  const up = rig.stick();
  await edge.write(up);
  await rig.atVault.read(up);
  await bring();
  t.equal(readAt(edge.core.credentials), first);
});

t.test("a node's own configuration keeps values off its disk, but not where its own work needs them", async (t) => {
  const rig = await MediaRig.make(t);
  let edge = await rig.edge("edge-1", "plant");
  let gateway = await rig.gateway("gw-1");
  await rig.vault.addPump("plant", { accounts: [unrotated] });
  await rig.vault.addPump("plant", {
    name: "valve",
    accounts: [{ name: "operator", username: "operator", rotate: "on-demand" }],
  });
  await rig.vault.setPassword(path, first);
  await rig.vault.setPassword("plant/valve/operator", second);
  await rig.vault.call("POST", "/v1/applications", { name: "scada", node: "gw-1" });
  await rig.vault.call("POST", "/v1/applications/scada/grants", { pattern: "plant/**" });
  const bring = async () => {
    const stick = rig.stick();
    await rig.atVault.write(stick);
    await Promise.all([edge.read(stick), gateway.read(stick)]);
  };
  await bring();
  t.same(gateway.store.tablesWith(first), ["entry"]);
  for (const node of [edge, gateway]) await node.close();
  edge = rig.openEdge(edge.store.reopen(), rig.vault.seams, { memoryOnly: ["plant"] });
  gateway = rig.openGateway(gateway.store.reopen(), { memoryOnly: ["plant/pump", "plant/valve"] });
  t.equal(readAt(edge.core.credentials), first, "what the disk held is served on");
  t.same(edge.store.tablesWith(first), []);
  t.match(
    edge.core.node.status().memoryOnly,
    { held: 1, gone: 0, onDisk: ["plant/valve/operator"] },
    "rotated here: it stays, and is named",
  );
  t.equal(readAt(gateway.core.parts.credentials), first);
  t.same([...gateway.store.tablesWith(first), ...gateway.store.tablesWith(second)], []);
  await gateway.close();
  gateway = rig.openGateway(gateway.store.reopen(), { memoryOnly: ["plant/**"] });
  t.throws(() => gateway.core.parts.credentials.find(path), { code: "API_MEMORY_ONLY" });
});

t.test("the files of an edge, and what they unseal to, hold no value that is held in memory only", async (t) => {
  const rig = await MediaRig.make(t);
  const { seams } = rig.vault;
  const joining = await rig.joiningFolder();
  const { folder, unlock } = joining;
  const stick = rig.stick();
  await joining.join(stick);
  await rig.atVault.read(stick);
  await rig.vault.addPump("plant", { accounts: [unrotated] });
  await rig.vault.addPump("plant", { name: "valve", accounts: [unrotated] });
  await rig.vault.setPassword(path, first);
  await rig.vault.setPassword("plant/valve/operator", second);
  await rig.vault.call("PUT", "/v1/freshness", { ...rule, pattern: "plant/pump/*" });
  await rig.atVault.write(stick);
  await joining.join(stick);
  const edge = await start({ folder, config: loadConfig(folder.config, edgeConfigSchema), version: "0" }, seams, unlock);
  await rig.at(edge.parts).read(stick);
  t.equal(readAt(edge.parts.credentials), first);
  const searchWhole = () => filesWith(folder, first);
  t.same(searchWhole(), []);
  await edge.close();
  t.same(searchWhole(), []);
  const key = await openSealKey({ path: folder.sealKey, unlock });
  t.same(tablesOf(folder, key, first), []);
  t.same(tablesOf(folder, key, second), ["candidate", "entry"], "the search finds what is there");
});

function filesWith(folder: DataFolder, text: string): string[] {
  const files = readdirSync(folder.path, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return files.map((each) => join(each.parentPath, each.name)).filter((file) => readFileSync(file).includes(text));
}

/** Tables of the store's file that hold the text, each row unsealed. */
function tablesOf(folder: DataFolder, key: Secret, text: string): string[] {
  const database = new DatabaseSync(folder.store, { readOnly: true });
  const names = database.prepare("select distinct tbl as name from row where tbl <> ''").all();
  database.close();
  const store = openNodeStore(folder, key, { random, failpoint: () => {} });
  const found = names
    .map(({ name }) => String(name))
    .filter((name) => store.read((view) => [...everyRow(view, name)].some(({ value }) => Buffer.from(value).includes(text))));
  store.close();
  return found.sort();
}

t.test(
  "after a restore an edge that holds everything in memory only says so, and the vault need not wait for ever",
  async (t) => {
    const rig = await MediaRig.make(t);
    const edge = await rig.edge("edge-1", "plant");
    await rig.vault.addPump("plant", { accounts: [unrotated] });
    await rig.vault.call("PUT", "/v1/freshness", rule);
    await rig.vault.setPassword(path, first);
    const carry = async () => {
      const stick = rig.stick();
      await rig.atVault.write(stick);
      await edge.read(stick);
      await edge.write(stick);
      await rig.atVault.read(stick);
    };
    await carry();
    await raiseEpoch(rig);
    await rig.vault.core.store.transaction((tx) => tx.updateTable("accounts").set({ unsettled: 1 }).execute());
    await carry();
    const { escrows } = (await rig.vault.call("GET", "/v1/escrows")) as { escrows: unknown[] };
    t.equal(escrows.length, 1, "its word, with no value in it");
  },
);
