import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { writersFolderNames } from "../../agent/media/limits.ts";
import { PinnedFolder } from "../../agent/media/pinned-folder.ts";
import { readMedia } from "../../cli/media/read.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { decodeManifest, type Manifest, mediaFileName, signManifest } from "../../protocol/media/index.ts";
import { custody, MediaRig } from "../cli/media-rig.ts";
import { shortFolder } from "../support/short-folder.ts";
import { type HostileStick, hostileSticks, type Prepared, socketAt } from "./corpus.ts";

/** A refusal takes no longer, milliseconds. */
const patienceMs = 5_000;

const rig = await MediaRig.make(t);
const edge = await rig.edge("edge-1", "plant");
await rig.vault.addPump("plant");
const good = rig.stick();
await rig.atVault.write(good);
const folder = shortFolder(t);
let made = 0;

function prepared(): Prepared {
  const place = join(folder, `case-${++made}`);
  const mount = join(place, "stick");
  const outside = join(place, "outside");
  cpSync(good, mount, { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, "canary"), "canary");
  const shared = join(mount, "TIDEGATE");
  const writer = join(shared, readdirSync(shared).find((name) => name.length === 32) ?? "");
  const item = readdirSync(writer).find((name) => name.endsWith(".bundle")) ?? "";
  return { mount, shared, writer, item, outside };
}

/** Every name around a stick, and what the canary says: what a reader must leave alone. */
function around({ mount }: Prepared): string[] {
  const place = join(mount, "..");
  return [
    ...readdirSync(place, { recursive: true, encoding: "utf8" }),
    readFileSync(join(place, "outside/canary"), "utf8"),
  ].sort();
}

/** Code with which the stick or its only folder is refused; null where it was read. */
async function codeOf(stick: Prepared, { meanwhile }: Partial<HostileStick>): Promise<string | null> {
  let done = false;
  const failpoint = () => {
    if (!done) meanwhile?.(stick);
    done = true;
  };
  try {
    const [read] = await readMedia({ call: edge.call, mount: stick.mount, custody, failpoint });
    return read?.refused?.code ?? read?.refusals[0]?.code ?? null;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

for (const hostile of hostileSticks) {
  const skip = hostile.needsRoot === true && process.getuid?.() !== 0 ? "only root makes device nodes" : false;
  t.test(`a hostile stick: ${hostile.name}`, { skip }, async (t) => {
    const stick = prepared();
    hostile.make(stick);
    const before = hostile.meanwhile === undefined ? around(stick) : null;
    const started = performance.now();
    t.equal(await codeOf(stick, hostile), hostile.code);
    t.ok(performance.now() - started < patienceMs, "told in time");
    if (before !== null) t.same(around(stick), before, "nothing was written");
  });
}

t.test("a hostile stick: an item is a socket", async (t) => {
  const stick = prepared();
  t.teardown(await socketAt(stick));
  t.equal(await codeOf(stick, {}), "MEDIA_NOT_PLAIN");
});

/** Signs a stick's manifest anew, changed. */
function signedAnew(
  { writer }: Prepared,
  change: (manifest: Manifest) => Manifest,
  signing: Parameters<typeof signManifest>[1],
): void {
  const path = join(writer, "MANIFEST");
  const decoded = decodeManifest(new Uint8Array(readFileSync(path)));
  writeFileSync(path, signManifest(change(decoded), signing, decoded.statements));
}

const stranger = signingKeyFromSeed(new Uint8Array(32).fill(3));
const { signing } = rig.vault.core.keys.identity;

const forgeries: readonly { name: string; code: string; sign: (stick: Prepared) => void }[] = [
  {
    name: "a manifest that a stranger signed",
    code: "ENVELOPE_BAD_SIGNATURE",
    sign: (stick) => signedAnew(stick, (manifest) => manifest, stranger),
  },
  {
    name: "a manifest of another vault",
    code: "TRUST_OTHER_VAULT",
    sign: (stick) => signedAnew(stick, (manifest) => ({ ...manifest, vaultId: new Uint8Array(32) }), signing),
  },
  {
    name: "bundles in the folder of a node that has not joined",
    code: "MANIFEST_WRITER",
    sign: (stick) => signedAnew(stick, (manifest) => ({ ...manifest, vaultId: null }), signing),
  },
  {
    name: "an item under another item's name",
    code: "CUSTODY_WRONG_ITEM",
    sign: (stick) =>
      signedAnew(
        stick,
        (manifest) => {
          const [first, ...rest] = manifest.files;
          if (first === undefined) throw new Error("no item");
          const renamed = { ...first, id: new Uint8Array(32).fill(1) };
          renameSync(join(stick.writer, mediaFileName(first)), join(stick.writer, mediaFileName(renamed)));
          return { ...manifest, files: [renamed, ...rest] };
        },
        signing,
      ),
  },
];

for (const { name, code, sign } of forgeries) {
  t.test(`a hostile stick: ${name}`, async (t) => {
    const stick = prepared();
    sign(stick);
    t.equal(await codeOf(stick, {}), code);
  });
}

const manyNames = 20_000;

for (const [where, folderOf] of [
  ["beside the writers", ({ shared }: Prepared) => shared],
  ["in a writer's folder", ({ writer }: Prepared) => writer],
] as const) {
  t.test(`a hostile stick: more names than anybody counts ${where}`, async (t) => {
    const stick = prepared();
    for (let i = 0; i < manyNames; i += 1) writeFileSync(join(folderOf(stick), `${i}`), "");
    const started = performance.now();
    t.equal(await codeOf(stick, {}), "MEDIA_TOO_MANY");
    t.ok(performance.now() - started < patienceMs, "told in time");
  });
}

t.test("names that nobody expects are counted, up to the limit, and left alone", async (t) => {
  for (const [names, code] of [
    [writersFolderNames - 2, null],
    [writersFolderNames - 1, "MEDIA_TOO_MANY"],
  ] as const) {
    const stick = prepared();
    // README.txt and the one writer are there already.
    for (let i = 0; i < names; i += 1) writeFileSync(join(stick.shared, `${i}`), "");
    t.equal(await codeOf(stick, {}), code, `${names}`);
  }
});

t.test("one writer's bad folder keeps no other's back", async (t) => {
  const stick = prepared();
  mkdirSync(join(stick.shared, "a".repeat(32)));
  const read = await edge.read(stick.mount);
  t.same(read.map(({ refused }) => refused?.code ?? null).sort(), ["MEDIA_INCOMPLETE", null]);
});

const traps: readonly { name: string; code: string | null; set: (stick: Prepared & { own: string }) => void }[] = [
  {
    name: "the shared folder leads elsewhere",
    code: "MEDIA_LINK",
    set: ({ shared, outside }) => {
      rmSync(shared, { recursive: true });
      symlinkSync(outside, shared);
    },
  },
  { name: "the writer's folder leads elsewhere", code: "MEDIA_LINK", set: ({ own, outside }) => symlinkSync(outside, own) },
  {
    name: "the temporary name leads elsewhere",
    code: null,
    set: ({ own, outside }) => {
      mkdirSync(own);
      symlinkSync(join(outside, "canary"), join(own, "MANIFEST.new"));
    },
  },
  {
    name: "the manifest leads elsewhere",
    code: null,
    set: ({ own, outside }) => {
      mkdirSync(own);
      symlinkSync(join(outside, "canary"), join(own, "MANIFEST"));
    },
  },
  {
    name: "the manifest is a folder",
    code: "MEDIA_NOT_PLAIN",
    set: ({ own }) => mkdirSync(join(own, "MANIFEST"), { recursive: true }),
  },
];

for (const { name, code, set } of traps) {
  t.test(`nothing is written past a stick on which ${name}`, async (t) => {
    const stick = prepared();
    const own = join(stick.shared, edge.id);
    set({ ...stick, own });
    const canary = () => [readdirSync(stick.outside), readFileSync(join(stick.outside, "canary"), "utf8")];
    const before = canary();
    const outcome = await edge.write(stick.mount).then(
      () => null,
      (error) => error.code,
    );
    t.equal(outcome, code);
    t.same(canary(), before);
  });
}

t.test("a reader that follows links would be caught", async (t) => {
  const stick = prepared();
  const { open } = PinnedFolder;
  // The planted bug: a folder is opened by what its name leads to.
  t.intercept(PinnedFolder, "open", { value: (path: string, name: string) => open.call(PinnedFolder, `${path}/.`, name) });
  renameSync(stick.writer, join(stick.outside, "moved"));
  symlinkSync(join(stick.outside, "moved"), stick.writer);
  t.not(await codeOf(stick, {}), "MEDIA_LINK");
});
