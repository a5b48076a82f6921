import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openSessions } from "../../agent/custody/limits.ts";
import { inspectMedia } from "../../cli/media/inspect.ts";
import { loginName } from "../../cli/media/login.ts";
import { identifyMedium } from "../../cli/media/medium.ts";
import { writeMedia } from "../../cli/media/write.ts";
import { shortFolder } from "../support/short-folder.ts";
import { custody, MediaRig } from "./media-rig.ts";

interface Leaf {
  readonly action: string;
  readonly actor: { kind: string; id: string };
  readonly subject: { kind: string; id: string };
  readonly outcome: string;
  readonly code: string | null;
  readonly details: Record<string, unknown>;
}

const mediaLeaves = (leaves: readonly Uint8Array[]): Leaf[] =>
  leaves.map((leaf) => JSON.parse(Buffer.from(leaf).toString()) as Leaf).filter(({ action }) => action.startsWith("media."));

async function atVault(rig: MediaRig): Promise<Leaf[]> {
  return mediaLeaves(await rig.vault.vault.audit.asSource().leaves(0, 1_000));
}

t.test("each write and read is a chain of leaves that names the medium, the persons and what went in or out", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  await rig.vault.addPump("plant");
  const stick = rig.stick();
  const { writeId, files, bytes } = await rig.atVault.write(stick);
  const ids = files
    .map(({ id }) => id.slice(0, 16))
    .sort()
    .join(" ");
  const medium = { mediaId: "ABC123", label: "BLUE", size: 8_000_000_000, person: "Kim" };
  const parties = { actor: { kind: "operator", id: "eve (uid 1000)" }, subject: { kind: "media", id: "ABC123" } };
  const [write, verify] = await atVault(rig);
  t.match(write, {
    action: "media.write",
    outcome: "unknown",
    ...parties,
    details: { ...medium, writeId, ids, items: files.length },
  });
  t.ok(Number(write?.details["bytes"]) < bytes, "the manifest itself is no item");
  t.match(verify, { action: "media.verify", outcome: "ok", ...parties, details: { writeId, readBackFrom: /medium|cache/ } });
  await edge.read(stick);
  const [read, taken] = mediaLeaves(edge.core.audit.leaves(0, 1_000));
  t.match(read, {
    action: "media.read",
    outcome: "unknown",
    ...parties,
    details: { ...medium, writeId, writer: rig.atVault.id, ids },
  });
  t.match(taken, { action: "media.taken", outcome: "ok", details: { writeId, refused: 0 } });
  t.equal(Number(taken?.details["applied"]) + Number(taken?.details["known"]), files.length);
});

t.test(
  "a write that goes wrong leaves its end in the log, and more ids than a leaf holds go into further leaves",
  async (t) => {
    const rig = await MediaRig.make(t);
    await rig.edge("edge-1", "plant");
    await rig.vault.addPump("plant");
    for (let each = 0; each < 20; each += 1) await rig.vault.setPassword("plant/pump/operator", `password-${each}`);
    const stick = rig.stick();
    let steps = 0;
    const pulled = Object.assign(new Error("pulled"), { code: "EIO" });
    const failpoint = () => {
      steps += 1;
      // The manifest's own chunk: the leaf of the write stands by then.
      if (steps > 2 * 22) throw pulled;
    };
    const { call } = rig.atVault;
    await t.rejects(writeMedia({ call, mount: stick, custody, recipients: [], failpoint }), { code: "MEDIA_IO" });
    const leaves = await atVault(rig);
    t.same([...new Set(leaves.map(({ action }) => action))], ["media.write", "media.items", "media.verify"]);
    t.match(leaves.at(-1), { outcome: "failed", code: "MEDIA_IO" });
    const named = leaves.flatMap(({ details }) => String(details["ids"] ?? "").split(" ")).filter((id) => id !== "");
    t.equal(named.length, leaves[0]?.details["items"]);
    t.equal(new Set(named).size, named.length);
  },
);

t.test("anybody sees what is on a stick, and an operator how it stands", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  const other = await rig.edge("edge-2", "mill");
  await rig.vault.addPump("plant");
  const stick = rig.stick();
  await rig.atVault.write(stick);
  await edge.write(stick);
  const look = async (node: { call: typeof edge.call } | null) => {
    const folders = await inspectMedia({ mount: stick, call: node?.call ?? null });
    const by = (writer: string) => folders.find((each) => each.writer === writer);
    return { vault: by(rig.atVault.id), edge: by(edge.id) };
  };
  const plain = await look(null);
  t.match(plain.vault, { refused: null, signature: "holds", name: "vault", vaultId: /^[0-9a-f]{64}$/ });
  t.match(plain.edge, { refused: null, signature: "holds", name: "edge-1" });
  t.ok(plain.vault?.files.every(({ kind, place, standing }) => kind === "bundle" && place !== null && standing === null));
  t.notMatch(JSON.stringify(plain), /pump|operator/, "nothing of what is sealed");
  const standings = (folder: typeof plain.vault, recipient: string) => [
    ...new Set(folder?.files.filter((file) => file.recipient === recipient).map(({ standing }) => standing)),
  ];
  const before = await look(edge);
  t.same(standings(before.vault, edge.id).sort(), ["known", "new"], "the answer to its join is known");
  t.same(standings(before.vault, other.id), ["other"]);
  t.same(
    before.edge?.files.map(({ standing }) => standing),
    ["waits"],
  );
  t.same(standings((await look(rig.atVault)).vault, edge.id), ["waits"]);
  await edge.read(stick);
  t.same(standings((await look(edge)).vault, edge.id), ["known"]);
  await edge.write(stick);
  await rig.atVault.read(stick);
  const after = await look(rig.atVault);
  t.same(standings(after.vault, edge.id), ["settled"], "acknowledged by the edge's own report");
  t.same([...new Set(after.edge?.files.map(({ standing }) => standing))], ["known"]);
});

t.test("inspecting changes nothing, and tells of a folder that would be refused", async (t) => {
  const rig = await MediaRig.make(t);
  const edge = await rig.edge("edge-1", "plant");
  const stick = rig.stick();
  await rig.atVault.write(stick);
  const leaves = (await atVault(rig)).length;
  const folder = join(stick, "TIDEGATE", rig.atVault.id);
  const item = readdirSync(folder).find((name) => name.endsWith(".bundle")) ?? "";
  writeFileSync(join(folder, item), "something else");
  const [seen] = await inspectMedia({ mount: stick, call: edge.call });
  t.match(seen, { refused: { code: "MEDIA_INCOMPLETE" }, files: [] });
  t.equal((await atVault(rig)).length, leaves);
  t.equal(mediaLeaves(edge.core.audit.leaves(0, 1_000)).length, 0);
});

t.test("a write or read that was not begun here, or was forgotten for newer ones, is refused", async (t) => {
  const rig = await MediaRig.make(t);
  const { call } = rig.atVault;
  const stranger = { session: "0".repeat(32) };
  await t.rejects(call("write/end", { ...stranger, readBackFrom: "cache" }), { code: "CUSTODY_SESSION" });
  await t.rejects(call("read/end", { ...stranger, code: null }), { code: "CUSTODY_SESSION" });
  const sessions: string[] = [];
  for (let each = 0; each < openSessions + 1; each += 1)
    sessions.push(((await call("write", { custody, recipients: [] })) as { session: string }).session);
  const [first, second] = sessions;
  await t.rejects(call("write/seal", { session: first, files: [] }), { code: "CUSTODY_SESSION" });
  await t.rejects(call("read/end", { session: second, code: null }), { code: "CUSTODY_SESSION" }, "of the other kind");
  t.match(await call("write/seal", { session: second, files: [] }), { writeId: /^[0-9a-f]{32}$/ });
  const file = { kind: "bundle", id: "00".repeat(32), recipient: rig.atVault.id, length: 1, hash: "00".repeat(32) };
  await t.rejects(call("write/seal", { session: second, files: [file] }), { code: "CUSTODY_WRONG_ITEM" });
  await t.rejects(call("write/item", { session: second, kind: "bundle", id: "00".repeat(32) }), { code: "CUSTODY_WRONG_ITEM" });
});

t.test("a medium is named by what the kernel and udev know of it, and by nothing else", async (t) => {
  const root = shortFolder(t);
  const mount = join(root, "mnt", "my stick");
  const usb = join(root, "sys/devices/usb1/1-1");
  const block = join(usb, "host0/target0/block/sdz/sdz1");
  for (const folder of [
    mount,
    block,
    join(root, "proc/self"),
    join(root, "sys/dev/block"),
    ...["by-label", "by-id"].map((each) => join(root, "dev/disk", each)),
  ])
    mkdirSync(folder, { recursive: true });
  const point = mount.replaceAll(" ", "\\040");
  writeFileSync(
    join(root, "proc/self/mountinfo"),
    `20 1 0:5 / / rw - ext4 /dev/root rw\n30 20 8:17 / ${point} rw - vfat /dev/sdz1 rw\n`,
  );
  symlinkSync(block, join(root, "sys/dev/block/8:17"));
  writeFileSync(join(block, "size"), "31250000\n");
  symlinkSync("../../sdz1", join(root, "dev/disk/by-label", "BLUE\\x20STICK"));
  symlinkSync("../../sdz1", join(root, "dev/disk/by-id", "usb-Maker_Stick_0815-part1"));
  const folders = { proc: join(root, "proc"), sys: join(root, "sys"), dev: join(root, "dev") };
  const size = 16_000_000_000;
  t.same(identifyMedium(mount, folders), { serial: "usb-Maker_Stick_0815-part1", label: "BLUE STICK", size });
  writeFileSync(join(usb, "serial"), "0815\u001b[2J-4711\n");
  t.same(
    identifyMedium(mount, folders),
    { serial: "0815 [2J-4711", label: "BLUE STICK", size },
    "nothing that a terminal obeys",
  );
  t.same(identifyMedium(root, folders), { serial: "unknown", label: "unknown", size: null }, "another file system");
  t.same(identifyMedium(join(root, "gone"), folders), { serial: "unknown", label: "unknown", size: null });
});

t.test("the person is who logged in on this machine", async (t) => {
  t.match(loginName(), /^.+ \(uid \d+\)$/);
});
