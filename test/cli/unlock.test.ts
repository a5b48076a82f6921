import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { createKeyFile, createSealKey, openSealKey } from "../../agent/seal-key/index.ts";
import { creatingUnlock, type Frame, openingUnlock } from "../../cli/frame/index.ts";
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
