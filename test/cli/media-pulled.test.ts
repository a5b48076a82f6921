import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { openStick, writeFolder } from "../../agent/media/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { mediaFileName, signManifest } from "../../protocol/media/index.ts";
import { shortFolder } from "../support/short-folder.ts";

const signing = signingKeyFromSeed(new Uint8Array(32).fill(5));
const nodeId = signing.keyId;
const recipient = new Uint8Array(20).fill(9);
const pulled = new Error("pulled");

function thrown(): void {
  throw pulled;
}

/** Items of several chunks each, other ones for each generation. */
function itemsOf(generation: number) {
  return Array.from({ length: 4 }, (_, i) => {
    const bytes = new Uint8Array(200_000 + i).fill(16 * generation + i);
    return { kind: "bundle" as const, id: sha256(bytes), recipient, bytes };
  });
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

/** Writes a generation; the stick is pulled before the step of that number. Returns how many steps there were. */
async function write(mount: string, generation: number, pullAt = Number.POSITIVE_INFINITY, pull = thrown): Promise<number> {
  let steps = 0;
  const all = itemsOf(generation);
  await writeFolder({
    mount,
    nodeId,
    items: all.map(({ kind, id }) => ({ kind, id, recipient })),
    load: async ({ id }) => all.find((each) => Buffer.compare(each.id, id) === 0)?.bytes ?? null,
    seal: async (files) => {
      const writeId = new Uint8Array(16).fill(generation);
      return signManifest({ vaultId: null, nodeId, writeId, written: { lo: 1, hi: null }, files }, signing, []);
    },
    failpoint() {
      if (steps === pullAt) pull();
      steps += 1;
    },
  });
  return steps;
}

/** Which generation is whole on the stick; a code where none is. */
function generationOn(mount: string): number | string {
  try {
    const stick = openStick(mount);
    try {
      const folder = stick.open(stick.writers[0] ?? "");
      folder.close();
      const generation = folder.manifest.writeId[0] ?? 0;
      const names = itemsOf(generation).map(mediaFileName);
      return names.every((name) => folder.manifest.files.some((file) => mediaFileName(file) === name)) ? generation : "MIXED";
    } finally {
      stick.close();
    }
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const total = await write(makeStick(t), 1);

/** The steps of a write that its hundredths fall on. */
const steps = [...new Set(Array.from({ length: 100 }, (_, percent) => Math.floor((total * percent) / 100)))];

function makeStick(within: Parameters<typeof shortFolder>[0]): string {
  const mount = join(shortFolder(within), "stick");
  mkdirSync(mount);
  return mount;
}

t.test(
  "an empty stick that is pulled at any hundredth of a write is never whole, and the next write completes it",
  async (t) => {
    for (const step of steps) {
      const mount = makeStick(t);
      await t.rejects(write(mount, 1, step), pulled);
      t.match(generationOn(mount), /^MEDIA_(INCOMPLETE|EMPTY)$/, `step ${step} of ${total}`);
      await write(mount, 2);
      t.equal(generationOn(mount), 2);
    }
  },
);

t.test("a stick that was whole keeps what it held until the new manifest stands, wherever it is pulled", async (t) => {
  for (const step of steps) {
    const mount = makeStick(t);
    await write(mount, 1);
    await t.rejects(write(mount, 2, step), pulled);
    t.equal(generationOn(mount), 1, `step ${step} of ${total}`);
    await write(mount, 3);
    t.equal(generationOn(mount), 3);
    const left = readdirSync(join(mount, "TIDEGATE"), { recursive: true }).length;
    t.equal(left, itemsOf(3).length + 3, "nothing of the earlier writes is left");
  }
});

t.test("a file that the medium lost after the manifest was written is found", async (t) => {
  const mount = makeStick(t);
  await write(mount, 1);
  const folder = join(mount, "TIDEGATE", readdirSync(join(mount, "TIDEGATE")).find((name) => name.length === 32) ?? "");
  for (const { kind, id } of itemsOf(1)) {
    const path = join(folder, mediaFileName({ kind, id }));
    const whole = readFileSync(path);
    writeFileSync(path, new Uint8Array(whole.length));
    t.equal(generationOn(mount), "MEDIA_HASH");
    writeFileSync(path, whole);
  }
  t.equal(generationOn(mount), 1);
});

t.test("an item that lies there already is not written again", async (t) => {
  const mount = makeStick(t);
  await write(mount, 1);
  t.ok((await write(mount, 1)) < total / 4);
  t.equal(generationOn(mount), 1);
});

t.test("what the medium says in the middle of a write has a code of its own, and leaves nothing whole", async (t) => {
  for (const [said, code] of [
    ["ENOSPC", "MEDIA_FULL"],
    ["EDQUOT", "MEDIA_FULL"],
    ["EIO", "MEDIA_IO"],
    ["EROFS", "MEDIA_IO"],
    ["ENODEV", "MEDIA_IO"],
  ] as const) {
    const mount = makeStick(t);
    const pull = () => {
      throw Object.assign(new Error(said), { code: said });
    };
    await t.rejects(write(mount, 1, 7, pull), { code });
    t.equal(generationOn(mount), "MEDIA_INCOMPLETE", said);
  }
});

t.test("a medium that reads back something else is refused, and its manifest does not stay", async (t) => {
  const mount = makeStick(t);
  const spoil = () => {
    const folder = join(mount, "TIDEGATE", readdirSync(join(mount, "TIDEGATE")).find((name) => name.length === 32) ?? "");
    const [item] = itemsOf(1);
    if (item !== undefined) writeFileSync(join(folder, mediaFileName(item)), new Uint8Array(item.bytes.length));
  };
  await t.rejects(write(mount, 1, total - 1, spoil), { code: "MEDIA_READ_BACK" });
  t.equal(generationOn(mount), "MEDIA_INCOMPLETE");
});
