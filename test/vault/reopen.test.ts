import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { verifyFolder } from "../../agent/audit/index.ts";
import { openDataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { openSealKey } from "../../agent/seal-key/index.ts";
import { decodeCheckpoint, decodeLeaf, type Leaf } from "../../protocol/audit/index.ts";
import { nodeIdText, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { writeBackup } from "../../vault/backup/index.ts";
import { restoreVault } from "../../vault/restore-vault.ts";
import { type TestNode, VaultRig } from "./vault-rig.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const path = "plant/pump/operator";

async function leaves(rig: VaultRig, ...actions: string[]): Promise<Leaf[]> {
  const rows = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").orderBy("place").execute());
  return rows.map(({ leaf }) => decodeLeaf(leaf)).filter(({ action }) => actions.includes(action));
}

async function fill(rig: VaultRig, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await rig.setPassword(path, `Again-live${i % 10}`);
}

/** A vault whose log lost what came after its backup, and a checkpoint that somebody kept of what it lost. */
async function lost(
  t: Test,
  meanwhile: (rig: VaultRig) => Promise<unknown> = async () => {},
  first: (rig: VaultRig) => Promise<unknown> = async () => {},
): Promise<{ rig: VaultRig; edge: TestNode; anchor: Uint8Array; folder: string }> {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" });
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await first(rig);
  await edge.exchange();
  const parent = join(rig.folder, "..");
  const file = join(parent, "vault.backup");
  await writeBackup(rig.core, openDataFolder(rig.folder), file);
  await fill(rig, 4);
  await meanwhile(rig);
  await edge.exchange();
  await rig.vault.close();
  const anchor = readFileSync(join(rig.folder, "audit", "0", "checkpoint"));
  const unlock = { kind: "key-file", path: join(parent, "key") } as const;
  const rootKey = (await openSealKey({ path: join(rig.folder, "keys", "root.sealed"), unlock })).use(signingKeyFromSeed);
  const folder = join(parent, "r");
  const log = createLog({ level: "silent", node: "vault" });
  const how = { keepTokens: false, version: "test", seams: rig.seams, log } as const;
  await restoreVault({ file, path: folder, unlock, roots: [], rootKeys: [rootKey], ...how });
  return { rig: await rig.openFolder(folder), edge, anchor, folder };
}

/** Findings against the checkpoint that somebody kept, as an auditor has them. */
async function findings(folder: string, anchor: Uint8Array): Promise<string[]> {
  const { findings } = await verdict(folder, anchor);
  return findings.map(({ code }) => code);
}

function verdict(folder: string, anchor: Uint8Array): ReturnType<typeof verifyFolder> {
  return verifyFolder({
    path: join(folder, "audit", "0"),
    anchors: [{ bytes: anchor, source: "paper" }],
    beside: [],
    vaultId: null,
    since: 0,
    onProgress: () => {},
  });
}

t.test("a restored log says where it goes on, in a new key epoch, and is one finding against what it lost", async (t) => {
  const { rig, anchor, folder } = await lost(t);
  const [reopen, ...more] = await leaves(rig, "audit.reopen");
  t.same(more, []);
  t.match(reopen, { outcome: "ok", actor: { kind: "operator" }, details: { reason: "restored", oldSerial: 0 } });
  t.equal(reopen?.details["oldSize"], reopen?.index, "the head that it goes on from is the one before it");
  const [epoch] = (await leaves(rig, "audit.epoch")).slice(-1);
  t.equal(epoch?.index, (reopen?.index ?? 0) + 1);
  const { size } = decodeCheckpoint(anchor);
  await rig.vault.audit.checkpoint();
  await rig.vault.close();
  const held = decodeCheckpoint(readFileSync(join(folder, "audit", "0", "checkpoint"))).size;
  if (held < size) t.same(await findings(folder, anchor), ["TRUNCATED"]);
  const again = await rig.openFolder(folder);
  t.teardown(() => again.vault.close());
  await fill(again, 40);
  await again.vault.close();
  t.same(await findings(folder, anchor), ["FORK"]);
  const own = readFileSync(join(folder, "audit", "0", "checkpoint"));
  t.ok(decodeCheckpoint(own).size > size);
  t.match(
    await verdict(folder, own),
    { findings: [], notices: [{ code: "REOPENED", index: reopen?.index }] },
    "and none without it",
  );
});

t.test("a node takes the reopened log for its anchor, with one alarm", async (t) => {
  const { rig, edge } = await lost(t);
  t.teardown(() => rig.vault.close());
  const raised = () =>
    edge.audit
      .leaves(0, 1000)
      .map((leaf) => decodeLeaf(leaf))
      .filter(({ code }) => code === "NODE_VAULT_LOG_FORK").length;
  const moved = rig.adopt(edge);
  // As if its escrow had been learned.
  await rig.core.store.transaction((tx) => tx.updateTable("accounts").set({ unsettled: 0 }).execute());
  for (const password of ["After-loss1", "After-loss2"]) {
    await rig.setPassword(path, password);
    await moved.exchange();
  }
  t.equal(raised(), 1);
  t.same(moved.values(path)["current"], ["After-loss2"]);
  const head = await rig.core.store.read((tx) => rig.core.log.head(tx));
  t.ok(
    (edge.audit.peerHead(rig.core.keys.identity.nodeId)?.size ?? 0) <= (head?.size ?? 0),
    "it follows the log that is there",
  );
  t.equal((await leaves(rig, "audit.reopen")).length, 1);
});

t.test("a restored vault revokes under a number that the lost one cannot have given", async (t) => {
  const revoke = (rig: VaultRig, name: string) => rig.call("POST", `/v1/nodes/${name}/revoke`, { reason: "stolen" });
  const { rig, edge } = await lost(t, async (before) => {
    await before.join(t, { name: "edge-2", role: "edge", zone: "yard", address: "127.0.0.1:7444" });
    await revoke(before, "edge-2");
  });
  t.teardown(() => rig.vault.close());
  const moved = rig.adopt(edge);
  t.equal(moved.node.trust().revoked?.list.version, 1, "the list that the backup does not hold");
  await rig.core.store.transaction((tx) => tx.updateTable("accounts").set({ unsettled: 0 }).execute());
  await rig.join(t, { name: "edge-3", role: "edge", zone: "dock", address: "127.0.0.1:7444" });
  await revoke(rig, "edge-3");
  await rig.setPassword(path, "After-loss1");
  await moved.exchange();
  t.equal(moved.node.status().lastRefusal, null);
  t.same(moved.values(path)["current"], ["After-loss1"], "else every bundle with the list would be refused for ever");
  t.match(moved.node.trust().revoked?.list, { version: 1_000_001, nodes: [{ serial: 1_000_000 }] });
});

t.test("a revocation that a restore forgot is an alarm, until the node is revoked again", async (t) => {
  const revoke = (rig: VaultRig, name: string) => rig.call("POST", `/v1/nodes/${name}/revoke`, { reason: "stolen" });
  const { rig, edge } = await lost(
    t,
    async (before) => {
      await revoke(before, "edge-2");
    },
    async (before) => {
      await before.join(t, { name: "edge-2", role: "edge", zone: "yard", address: "127.0.0.1:7444" });
    },
  );
  t.teardown(() => rig.vault.close());
  const moved = rig.adopt(edge);
  const [known] = moved.node.trust().revoked?.list.nodes ?? [];
  if (known === undefined) throw new Error("the edge knew of the revocation");
  await rig.core.store.transaction((tx) => tx.updateTable("accounts").set({ unsettled: 0 }).execute());
  const standing = async () => {
    const alarms = (await rig.call("GET", "/v1/alarms")) as unknown as {
      code: string;
      subject: string;
      resolvedAtMs: number | null;
    }[];
    return alarms
      .filter(({ code }) => code === "NODE_REVOCATION_LOST")
      .map(({ subject, resolvedAtMs }) => [subject, resolvedAtMs === null]);
  };
  await rig.join(t, { name: "edge-3", role: "edge", zone: "dock", address: "127.0.0.1:7444" });
  for (const [name, stands] of [
    ["edge-3", true],
    ["edge-2", false],
  ] as const) {
    await revoke(rig, name);
    await moved.exchange();
    t.same(await standing(), [[nodeIdText(known.nodeId), stands]], name);
  }
});
