import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { openSealKey } from "../../agent/seal-key/index.ts";
import { readDraft } from "../../cli/root/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { newestRoot, type RootDocument, signRoot } from "../../protocol/trust/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { VaultRig } from "../vault/vault-rig.ts";
import { run } from "./run.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const secrets = { "passphrase of the new key": "correct horse" };

/** A vault with its admin socket, three root keys made on other machines, and an edge and a gateway that know root 1. */
async function rooms(t: Test) {
  const rig = await VaultRig.make(t);
  const routes = vaultRoutes({ core: rig.core, wake: () => {}, connected: () => false, vaultAddress: () => "127.0.0.1:1" });
  const log = createLog({ level: "silent", node: "vault" });
  const server = await createAdminServer({ socketPath: join(rig.folder, "admin.sock"), routes, log });
  t.teardown(() => server.close());
  const parent = join(rig.folder, "..");
  const at = (name: string) => join(parent, name);
  const keyFile = ["--key-file", at("key")];
  const keys: string[] = [];
  for (const name of ["a", "b", "c"]) {
    const made = await run(["root", "key", "--out", at(name), ...keyFile, "--json"], { secrets });
    keys.push(JSON.parse(made.stdout).publicKey);
  }
  const root = (words: readonly string[]) => run(["root", ...words]);
  const show = async () => JSON.parse((await root(["show", "--data", rig.folder, "--json"])).stdout);
  const draft = (file: string, words: readonly string[]) =>
    root(["rotate", "--draft", at(file), "--data", rig.folder, ...words]);
  const sign = (file: string, name: string) => root(["sign", at(file), "--root-key", at(name), ...keyFile]);
  const apply = (...files: readonly string[]) => root(["apply", ...files.map(at), "--data", rig.folder]);
  copyFileSync(join(rig.folder, "keys", "root.sealed"), at("first"));
  const held = async () => newestRoot(await rig.core.store.read((tx) => rig.core.trust.read(tx)));
  return { rig, at, keys, root, show, draft, sign, apply, held };
}

/** From the vault's one key to two of three that lie elsewhere. */
async function twoOfThree(t: Test) {
  const world = await rooms(t);
  const first = (await world.show()).rootKeys[0];
  const change = [...world.keys.flatMap((key) => ["--add-key", key]), "--remove-key", first, "--threshold", "2"];
  await world.draft("d2", change);
  for (const name of ["first", "a", "b"]) await world.sign("d2", name);
  return world;
}

t.test("a root passes from one key to two of three, signed at different places, and nodes follow in order", async (t) => {
  const { rig, keys, show, apply, draft, sign, at } = await twoOfThree(t);
  const edge = await rig.join(t, { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" });
  await edge.exchange();
  await apply("d2");
  t.match(await show(), { version: 2, threshold: 2, vaultEpoch: 1, rootKeys: [...keys].sort() });
  // The edge sleeps through this one and the next; each copy of a draft is signed by another person.
  await draft("d3", ["--threshold", "3"]);
  copyFileSync(at("d3"), at("d3-b"));
  copyFileSync(at("d3"), at("d3-c"));
  await sign("d3", "a");
  await sign("d3-b", "b");
  await t.rejects(apply("d3", "d3-b"), { code: "TRUST_ROOT_SIGNATURES" }, "three of the new keys are due");
  await sign("d3-c", "c");
  await apply("d3", "d3-b", "d3-c");
  t.equal((await show()).threshold, 3);
  t.equal(newestRoot(edge.node.trust()).document.version, 1, "it slept");
  await edge.exchange();
  t.equal(newestRoot(edge.node.trust()).document.version, 3, "the roots came beside its next bundle");
  t.same(edge.node.mode, "NORMAL");
  const gateway = await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz", address: "127.0.0.1:7443" });
  t.equal(newestRoot(gateway.node.trust()).document.version, 3, "who joins now learns the whole chain");
});

t.test("too few keys, one key twice, and keys of nobody make no root", async (t) => {
  const { rig, held, apply, draft, sign, at } = await twoOfThree(t);
  await apply("d2");
  await draft("d3", ["--raise-epoch"]);
  await sign("d3", "a");
  await sign("d3", "a");
  t.equal(readDraft(at("d3")).signatures.length, 1, "signing twice counts once");
  await t.rejects(apply("d3", "d3"), { code: "TRUST_ROOT_SIGNATURES" });
  await t.rejects(sign("d3", "first"), { code: "ROOT_KEY_FOREIGN" }, "the key that was removed");
  await sign("d3", "b");
  await apply("d3");
  t.equal((await held()).document.vaultEpoch, 2, "a threshold raises the epoch too");
  await t.rejects(apply("d3"), { code: "RECOVERY_ROOT" }, "it is held already");

  const unlock = { kind: "key-file", path: at("key") } as const;
  const a = (await openSealKey({ path: at("a"), unlock })).use(signingKeyFromSeed);
  const b = (await openSealKey({ path: at("b"), unlock })).use(signingKeyFromSeed);
  const { document } = await held();
  const forged: RootDocument = { ...document, version: document.version, threshold: 1 };
  const body = { root: Buffer.from(signRoot(forged, [a, b])).toString("base64") };
  await t.rejects(
    rig.call("POST", "/v1/root", body),
    { code: "TRUST_ROOT_FORK" },
    "two roots of one version, both well signed",
  );
});

t.test("a draft that was altered, or is about another root, is refused before anybody signs it", async (t) => {
  const { at, keys, root, draft, sign, apply, show } = await rooms(t);
  const [key = ""] = keys;
  await draft("d", ["--add-key", key]);
  const text = readFileSync(at("d"), "utf8");
  const file = JSON.parse(text);
  const cases: [string, string][] = [
    ["not JSON", text.slice(0, -20)],
    ["another format", JSON.stringify({ ...file, format: "tidegate-root-draft/2" })],
    ["a payload that is no root", JSON.stringify({ ...file, payload: "AAAA" })],
    ["no root before it", JSON.stringify({ ...file, before: file.payload })],
    ["a foreign signature", JSON.stringify({ ...file, signatures: [{ keyId: "00".repeat(20), signature: "AA==" }] })],
  ];
  for (const [name, bad] of cases) {
    writeFileSync(at("bad"), bad);
    await t.rejects(sign("bad", "first"), { code: "ROOT_DRAFT", hint: /./ }, name);
  }
  await t.rejects(apply("d"), { code: "ROOT_DRAFT", hint: /./ }, "nobody has signed");
  await t.rejects(sign("nowhere", "first"), { code: "CLI_FILE" }, "a file that is not there is no bad draft");
  await draft("e", ["--raise-epoch"]);
  await sign("d", "first");
  await sign("e", "first");
  await t.rejects(apply("d", "e"), { code: "ROOT_DRAFT_DIFFERS" });
  const lines = (await root(["show", at("d")])).stdout;
  t.match(lines, /signed by 1 of 1 old and 1 of 1 new/);
  const { rootKeys } = await show();
  for (const words of [
    ["--threshold", "1"],
    ["--threshold", "2"],
    ["--add-key", rootKeys[0]],
    ["--remove-key", key],
    ["--add-key", "00".repeat(32)],
  ])
    await t.rejects(draft("x", words), { code: "ROOT_CHANGE" }, words.join(" "));
  t.equal(decodeEnvelope(new Uint8Array(Buffer.from(file.before, "base64"))).type, "root");
});
