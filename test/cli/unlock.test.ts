import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { createKeyFile, createSealKey, openSealKey } from "../../agent/seal-key/index.ts";
import { createFrame, creatingUnlock, type Frame, openingUnlock } from "../../cli/frame/index.ts";
import { readSecret } from "../../cli/frame/secrets.ts";
import { Secret } from "../../protocol/base/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { random } from "../vault/rig.ts";

const cheap = { memoryKib: 8, passes: 1 };

/** A frame whose prompt answers `typed`, with systemd's credentials in `credentials`. */
function frame(credentials: string | undefined, typed = "typed at the terminal"): Frame {
  const environment = credentials === undefined ? {} : { credentialsDirectory: credentials };
  // Only what unlocking asks of a frame.
  return { environment, secret: async () => Secret.fromText(typed) } as unknown as Frame;
}

t.test("a node is opened by option, systemd credential, its own key file or a prompt, in this order", async (t) => {
  const parent = shortFolder(t);
  const folder = createDataFolder(join(parent, "edge"));
  const credentials = join(parent, "credentials");
  mkdirSync(credentials);
  const credential = join(credentials, "tidegate-seal-key");
  const own = join(folder.keys, "key-file");
  const opening = openingUnlock(frame(credentials), folder, { passphrase: true });
  await t.rejects(opening, { code: "SEAL_KEY_MISSING", hint: /decommissioned/ }, "nobody is asked for what opens nothing");
  writeFileSync(folder.sealKey, "sealed");
  t.match(await openingUnlock(frame(credentials), folder, {}), { kind: "passphrase" }, "nothing is there: a prompt");
  createKeyFile(own, random);
  t.same(await openingUnlock(frame(undefined), folder, {}), { kind: "key-file", path: own });
  t.same(await openingUnlock(frame(credentials), folder, {}), { kind: "key-file", path: own }, "systemd hands in others only");
  writeFileSync(credential, random(32), { mode: 0o440 });
  t.same(await openingUnlock(frame(credentials), folder, {}), { kind: "credential-file", path: credential });
  t.match(await openingUnlock(frame(credentials), folder, { passphrase: true }), { kind: "passphrase" });
  t.same(await openingUnlock(frame(credentials), folder, { keyFile: own }), { kind: "key-file", path: own });
  t.match(await creatingUnlock(frame(credentials), { folder, random }), { unlock: { kind: "credential-file" }, note: null });
});

t.test("a passphrase file is its owner's alone, unless systemd hands it in", async (t) => {
  const parent = shortFolder(t);
  const folder = createDataFolder(join(parent, "edge"));
  writeFileSync(folder.sealKey, "sealed");
  const passphraseFile = join(parent, "passphrase");
  writeFileSync(passphraseFile, "correct horse battery\n");
  const terminal = { input: process.stdin, prompt: process.stderr };
  const open = (credentialsDirectory?: string) => {
    const environment = credentialsDirectory === undefined ? {} : { credentialsDirectory };
    const real = { environment, secret: (source) => readSecret(source, terminal) } as Pick<Frame, "environment" | "secret">;
    return openingUnlock(real as Frame, folder, { passphraseFile });
  };
  for (const [mode, refused] of [
    [0o400, false],
    [0o600, false],
    [0o640, true],
    [0o604, true],
    [0o620, true],
  ] as const) {
    chmodSync(passphraseFile, mode);
    if (refused) await t.rejects(open(), { code: "SEAL_KEY_FILE", hint: /chmod 600/ }, mode.toString(8));
    else t.match(await open(), { kind: "passphrase" }, mode.toString(8));
    t.match(await open(parent), { kind: "passphrase" }, "in $CREDENTIALS_DIRECTORY");
  }
});

t.test("without a terminal the options that give a passphrase are named", async (t) => {
  const input = Object.assign(Object.create(process.stdin), { isTTY: false });
  const real = { environment: {}, secret: (source) => readSecret(source, { input, prompt: process.stderr }) } as Pick<
    Frame,
    "environment" | "secret"
  >;
  const folder = createDataFolder(join(shortFolder(t), "edge"));
  writeFileSync(folder.sealKey, "sealed");
  await t.rejects(openingUnlock(real as Frame, folder, {}), {
    code: "CLI_NO_SECRET",
    hint: /--passphrase-file FILE or --key-file/,
  });
});

t.test("what a key file sealed opens from systemd's credential, and no other credential does", async (t) => {
  const parent = shortFolder(t);
  const [keyFile, other] = [join(parent, "key"), join(parent, "other")];
  for (const path of [keyFile, other]) createKeyFile(path, random);
  const path = join(parent, "seal-key");
  const key = await createSealKey({ path, unlock: { kind: "key-file", path: keyFile }, random, cost: cheap });
  t.ok((await openSealKey({ path, unlock: { kind: "credential-file", path: keyFile } })).equals(key));
  const wrong = openSealKey({ path, unlock: { kind: "credential-file", path: other } });
  await t.rejects(wrong, { code: "SEAL_KEY_REFUSED" });
  const missing = openSealKey({ path, unlock: { kind: "credential-file", path: join(parent, "none") } });
  await t.rejects(missing, { code: "SEAL_KEY_FILE" });
});

t.test("systemd's folder is the one that the environment names", async (t) => {
  for (const [named, expected] of [
    ["/run/credentials/tidegate-edge.service", "/run/credentials/tidegate-edge.service"],
    ["", undefined],
  ] as const) {
    const started = Object.assign(Object.create(process), { env: { CREDENTIALS_DIRECTORY: named } });
    t.equal(createFrame(started, () => false).environment.credentialsDirectory, expected);
  }
});
