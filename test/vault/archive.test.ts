import { join } from "node:path";
import t from "tap";
import { SpaceReserve, SpaceWatch } from "../../agent/space/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { decodeLeaf } from "../../protocol/audit/index.ts";
import { encodeTcbor } from "../../protocol/base/index.ts";
import { followVaultSpace } from "../../vault/follow-space.ts";
import { ManualTime } from "../agent/audit/rig.ts";
import { shortFolder } from "../support/short-folder.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const operator = { kind: "operator", id: "kim" } as const;
const medium = { kind: "media", id: "S1" } as const;

async function plant(t: Parameters<typeof VaultRig.make>[0]) {
  const rig = await VaultRig.make(t);
  const node = await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await node.exchange();
  const append = (event: AuditEvent, times = 1) =>
    rig.core.store.transaction(async (tx) => {
      for (let time = 0; time < times; time += 1) await rig.core.log.append(tx, event);
    });
  return { rig, node, append, source: rig.vault.audit.asExport("") };
}

const order: AuditEvent = { action: "order.accept", actor: operator, subject: { kind: "account", id: path }, outcome: "ok" };

t.test("the vault's log forgets what lies on a medium once a node vouches for it, and its proofs go on", async (t) => {
  const { rig, node, append, source } = await plant(t);
  const { archive } = source;
  await append(order, 600);
  const before = Number(await archive.archivable());
  t.ok(before < 512, "nobody has proven those yet");
  for (const value of ["Second-live", "Third-live1"]) {
    await rig.setPassword(path, value);
    await node.exchange();
  }
  t.equal(await archive.archivable(), 512);
  const size = Number(await source.size());
  const proof = await source.proof(100, size);
  const archived = (until: number): AuditEvent => ({
    action: "audit.archive",
    actor: operator,
    subject: medium,
    outcome: "ok",
    details: { from: 0, until, mediaId: "S1" },
  });
  await archive.archive(archived(512), 512);
  await archive.archive(archived(256), 256);
  t.equal(await archive.held(), 512, "one that reaches less far, and was proven meanwhile, brings nothing back");
  t.same(await archive.leaves(0, 10), [], "and no other leaves in their place");
  t.equal(decodeLeaf((await archive.leaves(512, 1))[0] as Uint8Array).index, 512);
  t.same(await source.proof(100, size), proof);
  const { count } = await rig.core.store.read((tx) =>
    tx
      .selectFrom("audit_leaves")
      .select((eb) => eb.fn.countAll<number>().as("count"))
      .executeTakeFirstOrThrow(),
  );
  t.equal(Number(count), Number(await source.size()) - 512);
  await rig.setPassword(path, "Fourth-live");
  await node.exchange();
  t.same(node.values(path)["current"], ["Fourth-live"], "nodes still prove its head");

  // A start that finds the freeing broken off, and a stop before it goes on.
  const timers = new Set<() => void>();
  const after = (_delayMs: number, fire: () => void) => {
    timers.add(fire);
    return () => void timers.delete(fire);
  };
  Object.assign(rig.seams, { timers: { after } });
  const broken = encodeTcbor([512, 256, size]);
  await rig.core.store.transaction((tx) =>
    tx.updateTable("audit_marks").set({ value: broken }).where("name", "=", "archive").execute(),
  );
  await rig.reopen();
  t.ok(timers.size > 0);
  await rig.vault.close();
  t.equal(timers.size, 0, "nothing asks the store any more");
});

t.test("the vault's log leaves out or refuses what can wait while its disk is short, and says so afterwards", async (t) => {
  const { rig, append, source } = await plant(t);
  const { space } = rig.vault.audit;
  const show: AuditEvent = {
    action: "credential.show",
    actor: operator,
    subject: { kind: "account", id: path },
    outcome: "ok",
  };
  const login: AuditEvent = { action: "login.deny", actor: operator, subject: medium, outcome: "denied", code: "X" };
  await space.begin(async () => {});
  const size = Number(await source.size());
  await t.rejects(append(show), { code: "AUDIT_FULL" });
  await append(login, 3);
  await append(order);
  t.equal(await source.size(), size + 1, "only what must be written");
  t.equal(space.dropped, 3);
  await space.end(async () => {});
  await append(show);
  const leaves = (await source.archive.leaves(size + 1, 10)).map((leaf) => decodeLeaf(leaf));
  t.match(leaves, [{ action: "audit.gap", details: { class: "noise", count: 3 } }, { action: "credential.show" }]);
  t.equal(space.short, false);
});

t.test("an alarm about the vault's disk ends when there is room, also one that an earlier run raised", async (t) => {
  const rig = await VaultRig.make(t);
  const path = join(shortFolder(t), "reserve");
  const mebibyte = 1024 * 1024;
  const silent = { error() {}, warn() {}, info() {}, debug() {} };
  /** What stands after a run that saw the disk so. */
  const standing = async (freeMib: readonly number[]) => {
    const disk = { free: 0, total: 1000 * mebibyte };
    const reserve = new SpaceReserve({ path, bytes: mebibyte, random: (length) => new Uint8Array(length).fill(1) });
    const space = new SpaceWatch({ reserve, timers: new ManualTime().timers, look: () => disk });
    disk.free = (freeMib[0] ?? 0) * mebibyte;
    const told = followVaultSpace({ space, core: rig.core, audit: rig.vault.audit, log: silent as never });
    for (const mib of freeMib) {
      disk.free = mib * mebibyte;
      await space.look();
    }
    await space.close();
    await told();
    const alarms = (await rig.call("GET", "/v1/alarms")) as unknown as { code: string; resolvedAtMs: number | null }[];
    return alarms.filter(({ resolvedAtMs }) => resolvedAtMs === null).map(({ code }) => code);
  };
  t.same(await standing([900]), []);
  t.same(await standing([15]), ["AUDIT_SPACE_SHORT"], "it ends while the disk is short");
  t.same(await standing([900]), [], "and begins again with room");
  t.same(await standing([100]), ["AUDIT_SPACE_LOW"]);
  t.same(await standing([900]), []);
  t.same(await standing([100, 15, 900]), [], "and neither is left of a disk that was first low, then short");
});
