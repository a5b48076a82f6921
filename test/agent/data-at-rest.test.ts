import fs, { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import {
  attemptFolder,
  createDataFolder,
  dataFolderAt,
  dataFolderPath,
  isFreePlace,
  lockDataFolder,
  openDataFolder,
  readRunFile,
  removeRunFile,
  writeRunFile,
} from "../../agent/data-folder/index.ts";
import { identityOf, loadIdentity, newIdentitySeeds, storeIdentity } from "../../agent/identity/index.ts";
import { createKeyFile, createSealKey, leastPassphraseBytes, openSealKey, type Unlock } from "../../agent/seal-key/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { Secret, sameBytes } from "../../protocol/base/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";

const { random } = machineSeams();
const cheap = { memoryKib: 64, passes: 1 };

t.test("the data folder's path: --data, then root's, then the state home, then the home", async (t) => {
  const role = "gateway";
  t.equal(dataFolderPath({ role, root: true, explicit: "/x/y" }), "/x/y");
  t.equal(dataFolderPath({ role, root: true, home: "/root" }), "/var/lib/tidegate/gateway");
  t.equal(dataFolderPath({ role, root: false, stateHome: "/s", home: "/h" }), "/s/tidegate/gateway");
  t.equal(dataFolderPath({ role, root: false, home: "/h" }), "/h/.local/state/tidegate/gateway");
  t.throws(() => dataFolderPath({ role, root: false }), { code: "DATA_UNREADABLE" });
});

t.test("a data folder is the owner's alone, or refused", async (t) => {
  const path = join(shortFolder(t), "node");
  t.throws(() => openDataFolder(path), { code: "DATA_UNREADABLE" });
  const folder = createDataFolder(path);
  t.equal(statSync(folder.path).mode & 0o777, 0o700);
  t.equal(statSync(folder.keys).mode & 0o777, 0o700);
  for (const mode of [0o750, 0o701]) {
    chmodSync(path, mode);
    t.throws(() => openDataFolder(path), { code: "DATA_UNSAFE", hint: /./ });
  }
  chmodSync(path, 0o700);
  const link = join(shortFolder(t), "link");
  symlinkSync(path, link);
  t.throws(() => openDataFolder(link), { code: "DATA_UNSAFE", hint: /./ });
  if (process.getuid?.() !== 0) t.throws(() => openDataFolder("/"), { code: "DATA_UNSAFE" });
});

t.test("a place where no folder can be made is told as what the system says of it, and never tried for ever", async (t) => {
  for (const path of ["/dev/null/node", "/proc/none/node"]) {
    t.throws(() => createDataFolder(path), { code: "DATA_UNREADABLE", hint: /--data DIR/ }, path);
  }
  t.throws(() => openDataFolder("/dev/null/node"), { code: "DATA_UNREADABLE" });
  t.throws(() => isFreePlace("/dev/null"), { code: "DATA_UNREADABLE" }, "a file in its place");
  const refused: [errno: string, code: string][] = [
    ...["EACCES", "EPERM", "ENOTDIR", "ENAMETOOLONG", "ENOENT", "EBUSY", "ELOOP", "EINVAL"].map((errno): [string, string] => [
      errno,
      "DATA_UNREADABLE",
    ]),
    ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"].map((errno): [string, string] => [errno, "DATA_DISK"]),
  ];
  for (const [errno, code] of refused) {
    const fail = () => {
      throw Object.assign(new Error(errno), { code: errno, syscall: "mkdir" });
    };
    t.throws(() => attemptFolder("a folder", fail), { code, hint: /./ }, errno);
  }
  const bug = () => {
    throw new TypeError("ours");
  };
  t.throws(() => attemptFolder("a folder", bug), { message: "ours" }, "what the system did not say stays what it is");
  const folder = createDataFolder(join(shortFolder(t), "node"));
  mkdirSync(join(folder.path, "lock"));
  t.throws(() => lockDataFolder(folder), { code: "DATA_DISK" });
});

t.test("a socket's path has at most 107 bytes", async (t) => {
  const room = 107 - "/admin.sock".length;
  t.ok(dataFolderAt(`/${"a".repeat(room - 1)}`));
  t.throws(() => dataFolderAt(`/${"a".repeat(room)}`), { code: "DATA_PATH_TOO_LONG" });
});

t.test("a second process is kept out until the first lets go", async (t) => {
  const folder = createDataFolder(join(shortFolder(t), "node"));
  const lock = lockDataFolder(folder);
  t.throws(() => lockDataFolder(folder), { code: "DATA_LOCKED" });
  lock.release();
  lock.release();
  lockDataFolder(folder).release();
});

t.test("run.json appears whole, is read back and removed; anything else in its place is refused", async (t) => {
  const folder = createDataFolder(join(shortFolder(t), "node"));
  t.equal(readRunFile(folder), null);
  const run = { role: "edge" as const, pid: 7, nodeId: "abc", listeners: { api: { address: "127.0.0.1", port: 4711 } } };
  writeRunFile(folder, run);
  t.same(readRunFile(folder), run);
  writeFileSync(folder.run, "{");
  t.throws(() => readRunFile(folder), { code: "DATA_UNREADABLE" });
  removeRunFile(folder);
  t.equal(readRunFile(folder), null);
});

t.test("the store key opens with what sealed it and with nothing else", async (t) => {
  const folder = shortFolder(t);
  const keyFile = join(folder, "key-file");
  const otherFile = join(folder, "other-file");
  createKeyFile(keyFile, random);
  createKeyFile(otherFile, random);
  const passphrase = (text: string): Unlock => ({ kind: "passphrase", passphrase: Secret.fromText(text) });
  const file = (path: string): Unlock => ({ kind: "key-file", path });
  const cases: [sealed: Unlock, good: Unlock, bad: Unlock[]][] = [
    [passphrase("twelve chars"), passphrase("twelve chars"), [passphrase("twelve charS"), file(keyFile)]],
    [file(keyFile), { kind: "credential-file", path: keyFile }, [file(otherFile), passphrase("twelve chars")]],
  ];
  for (const [index, [sealed, good, bad]] of cases.entries()) {
    const path = join(folder, `seal-key-${index}`);
    const key = await createSealKey({ path, unlock: sealed, random, cost: cheap });
    t.equal(statSync(path).mode & 0o777, 0o600);
    t.ok((await openSealKey({ path, unlock: good })).equals(key));
    for (const unlock of bad) await t.rejects(openSealKey({ path, unlock }), { code: "SEAL_KEY_REFUSED" });
    await t.rejects(createSealKey({ path, unlock: sealed, random, cost: cheap }), { code: "SEAL_KEY_EXISTS" });
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 1) {
      // The cost's bytes are left out for the passphrase: a flipped bit there is legal and only costs a gigabyte of memory.
      if (sealed.kind === "passphrase" && at >= 21 && at <= 25) continue;
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(path, flipped);
      await t.rejects(openSealKey({ path, unlock: good }), { code: "SEAL_KEY_REFUSED" }, `byte ${at}`);
    }
  }
  await t.rejects(openSealKey({ path: join(folder, "none"), unlock: file(keyFile) }), { code: "SEAL_KEY_MISSING" });
});

t.test("nothing is sealed under a passphrase that can be guessed", async (t) => {
  const folder = shortFolder(t);
  for (const length of [leastPassphraseBytes - 1, leastPassphraseBytes, leastPassphraseBytes + 1]) {
    const path = join(folder, `seal-key-${length}`);
    const unlock: Unlock = { kind: "passphrase", passphrase: Secret.fromText("x".repeat(length)) };
    const made = createSealKey({ path, unlock, random, cost: cheap });
    if (length < leastPassphraseBytes) await t.rejects(made, { code: "SEAL_KEY_WEAK" });
    else await t.resolves(made);
    t.equal(existsSync(path), length >= leastPassphraseBytes);
  }
});

t.test("a key file is on the disk, with its name, before anything can be sealed under it", async (t) => {
  const synced: number[] = [];
  const fsyncSync = (descriptor: number) => {
    synced.push(fs.fstatSync(descriptor).size);
    fs.fsyncSync(descriptor);
  };
  const mocked = (await t.mockImport("../../agent/seal-key/index.ts", { "node:fs": { ...fs, fsyncSync } })) as {
    createKeyFile: typeof createKeyFile;
  };
  const folder = shortFolder(t);
  mocked.createKeyFile(join(folder, "key"), random);
  t.same([synced.length, synced[0]], [2, 32]);
});

t.test("a key file that is open to others, too short, too long, missing or a link is refused", async (t) => {
  const folder = shortFolder(t);
  const attempt = (path: string) =>
    createSealKey({ path: join(folder, `seal-${Math.random()}`), unlock: { kind: "key-file", path }, random });
  const written = (bytes: number, mode: number) => {
    const path = join(folder, `key-${bytes}-${mode}`);
    writeFileSync(path, random(bytes));
    chmodSync(path, mode);
    return path;
  };
  for (const path of [written(31, 0o600), written(4097, 0o600), written(32, 0o640), join(folder, "none"), folder]) {
    await t.rejects(attempt(path), { code: "SEAL_KEY_FILE" }, path);
  }
  for (const path of [written(32, 0o600), written(4096, 0o400)]) t.ok(await attempt(path));
  symlinkSync(written(32, 0o600), join(folder, "link"));
  await t.rejects(attempt(join(folder, "link")), { code: "SEAL_KEY_FILE" });
  t.throws(() => createKeyFile(written(33, 0o600), random), { code: "SEAL_KEY_FILE" });
});

t.test("an identity comes back from the store as it was, and one stream of random bytes gives one identity", async (t) => {
  const counting = () => {
    let count = 0;
    return (length: number) => {
      count += 1;
      return Uint8Array.from({ length }, (_, i) => (i * 7 + count) % 251);
    };
  };
  const seeds = newIdentitySeeds(counting());
  t.same(newIdentitySeeds(counting()), seeds);
  const identity = identityOf(seeds);
  t.equal(identity.nodeId.length, 20);
  t.ok(sameBytes(identity.nodeId, identity.signing.keyId));
  t.equal(identity.tls.spkiHash.length, 32);
  const store = new MemoryStore();
  t.equal(store.read(loadIdentity), null);
  store.transaction((tx) => storeIdentity(tx, { ...seeds, tlsChain: [Uint8Array.of(1, 2)] }));
  const loaded = store.reopen().read(loadIdentity);
  const { epochSeed, ...stored } = seeds;
  t.same(
    loaded,
    { ...stored, tlsChain: [Uint8Array.of(1, 2)] },
    "but for the seed of the first epoch, which the audit log keeps and erases",
  );
  t.equal(epochSeed.length, 32);
});
