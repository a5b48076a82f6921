import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import t from "tap";
import { openDataFolder, writeRunFile } from "../../agent/data-folder/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { readBuiltinModel } from "../../cli/models/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { random } from "../vault/rig.ts";
import { run, type Told } from "./run.ts";

t.test("a vault is made, run and filled by its commands, and no secret stands on the command line", async (t) => {
  const parent = shortFolder(t);
  const data = ["--data", join(parent, "v")];
  const key = join(parent, "key");
  createKeyFile(key, random);
  const made = await run(["vault", "init", ...data, "--key-file", key, "--listen", "127.0.0.1:0", "--json"]);
  t.match(JSON.parse(made.stdout), { vaultId: /^[0-9a-f]{64}$/, folder: join(parent, "v") });
  await t.rejects(run(["vault", "init", ...data, "--key-file", key]), { code: "VAULT_FOLDER_NOT_EMPTY" });
  const wrong = [
    "--listen 300.1.1.1:99999",
    "--listen 300.1.1.1:7443",
    "--listen 10.0.0.1",
    "--advertise a:b",
    "--trust-domain A",
  ];
  for (const words of wrong) {
    const another = ["vault", "init", "--data", join(parent, "w"), "--key-file", key, ...words.split(" ")];
    await t.rejects(run(another), { code: "VAULT_INIT_INVALID", hint: /./ }, words);
  }

  const stop = Promise.withResolvers<string>();
  await t.rejects(run(["node", "list", ...data]), { code: "ADMIN_UNREACHABLE" });
  const running = run(["vault", "run", ...data, "--key-file", key], { stop: stop.promise });
  t.teardown(async () => {
    stop.resolve("test");
    await running;
  });
  for (;;) {
    const told = await run(["status", ...data, "--json"]);
    if (told.exit === 0) break;
    await new Promise((resolve) => setImmediate(resolve));
  }

  const code = join(parent, "code");
  await run([
    "vault",
    "enroll",
    "edge-1",
    "--role",
    "edge",
    "--zone",
    "plant",
    "--address",
    "127.0.0.1:7444",
    "--out",
    code,
    ...data,
  ]);
  t.equal(statSync(code).mode & 0o777, 0o600);
  t.match(parseEnrolmentCode(readFileSync(code, "utf8")), { name: "edge-1", role: 2 });
  const failed: Told = { stdout: "", stderr: "", exit: 0 };
  const joining = ["edge", "join", "--gateway", "127.0.0.1:1", "--data", join(parent, "e")];
  const typed = { secrets: { "enrolment code": readFileSync(code, "utf8").trim() }, told: failed };
  await t.rejects(run(joining, typed), { code: "LINK_UNREACHABLE" });
  t.equal(failed.stderr, "", "nothing is said of a node that was not made");
  await t.rejects(run(["edge", "run", ...data]), { code: "CONFIG_OTHER_ROLE", hint: /tidegate vault run/ });
  await t.rejects(run(["gateway", "run", ...data]), { code: "CONFIG_OTHER_ROLE" });
  const elsewhere = await run(["status", "--data", join(parent, "elsewhere")]);
  t.equal(elsewhere.exit, 1);
  t.match(elsewhere.stderr, /elsewhere.*--data DIR/);
  const gateway = await run(["vault", "enroll", "gw-1", "--role", "gateway", "--zone", "dmz", ...data, "--json"]);
  t.match(parseEnrolmentCode(JSON.parse(gateway.stdout).code), { name: "gw-1", role: 1 });
  await t.rejects(
    run(["vault", "enroll", "x", "--role", "edge", "--zone", "plant", "--address", "a:1", "--out", code, ...data]),
    {
      code: "CLI_FILE",
    },
  );

  await t.rejects(run(["vault", "enroll", "x", "--role", "relay", "--zone", "plant", ...data]), {
    code: "CLI_USAGE",
    message: /--role.*relay/,
  });
  t.match((await run(["node", "list", ...data])).stdout, /^NODE +ROLE +ZONE +STATE +LINK +FOLLOWED +LAST HEARD\n/);
  const add = ["device", "add", "agent", "--zone", "plant", "--model", "generic-snmpv3", "--host", "10.0.0.1", ...data];
  await t.rejects(run([...add, "--account", "operator", "--set", "colour=blue"]), { code: "CLI_USAGE", message: /colour/ });
  await t.rejects(run([...add, "--account", "operator", "--rotate", "often"]), { code: "CLI_USAGE" });
  for (const host of ["10.0.0.1:161", "a b"]) {
    const words = add.map((word) => (word === "10.0.0.1" ? host : word));
    await t.rejects(run([...words, "--account", "operator"]), { code: "CLI_USAGE", message: /--host/ }, host);
  }
  await t.rejects(run([...add, "--account", "operator", "--port", "65536"]), { code: "CLI_USAGE", message: /--port/ });
  await t.rejects(run([...add.map((word) => word.replace("generic-snmpv3", "no-such")), "--account", "o"]), {
    code: "MODEL_UNKNOWN",
  });
  const added = await run([...add, "--account", "operator", "--account", "reader=Read Only", "--rotate", "30d", "--json"]);
  t.match(JSON.parse(added.stdout), {
    path: "plant/agent",
    port: 161,
    fields: ["authPassword", "privPassword"],
    accounts: [
      { path: "plant/agent/operator", username: "operator", intervalS: 2_592_000 },
      { path: "plant/agent/reader", username: "Read Only" },
    ],
  });
  const path = "plant/agent/operator";
  const secrets = { authPassword: "auth-Secret-1", privPassword: "priv-Secret-1" };
  t.match((await run(["credential", "set", path, ...data], { secrets })).stdout, /version 1\.0/);
  const piped = { "authPassword, privPassword": "authPassword=auth-Secret-2\nprivPassword=priv-Secret-2" };
  await run(["credential", "set", path, "--from-stdin", ...data], { secrets: piped });
  t.notMatch((await run(["credential", "show", path, ...data])).stdout, /Secret/);
  const shown = await run(["credential", "show", path, "--reveal", "--at", "1.0", "--json", ...data]);
  t.match(JSON.parse(shown.stdout).fields, { authPassword: "auth-Secret-1", privPassword: "priv-Secret-1" });
  const history = JSON.parse((await run(["credential", "history", path, "--json", ...data])).stdout);
  t.equal(history.versions.length, 6);
  await t.rejects(run(["device", "rotate", path, ...data]), { code: "ORDER_NO_EDGE" });
  await t.rejects(run(["device", "rotate", path, "--cancel", ...data]), { code: "ORDER_NONE_OPEN" });
  await t.rejects(run(["device", "rotate", path, "--cancel", "--wait", "1", ...data]), { code: "CLI_USAGE" });
  t.match((await run(["device", "list", ...data])).stdout, /plant\/agent +generic-snmpv3 +10\.0\.0\.1:161 +operator, reader/);

  t.match((await run(["device", "show", "plant/agent", ...data])).stdout, /LAST REPORTED\n.*nothing yet\n/);
  t.equal((await run(["alarm", "list", ...data])).stdout, "no alarms\n");
  const change = ["device", "set", "plant/agent", ...data];
  await t.rejects(run(change), { code: "CLI_USAGE", message: /nothing to change/ });
  await t.rejects(run([...change, "--set", "colour=blue"]), { code: "CLI_USAGE", message: /colour/ });
  await t.rejects(run([...change, "--host", "a b"]), { code: "CLI_USAGE", message: /--host/ });
  await t.rejects(run(["device", "set", "plant/none", "--port", "1", ...data]), { code: "REGISTRY_NOT_FOUND" });
  const { settings } = JSON.parse(added.stdout);
  const corrected = JSON.parse((await run([...change, "--host", "10.0.0.2", "--json"])).stdout);
  t.match(corrected, { host: "10.0.0.2", port: 161, settings }, "what is not given stays");

  const reader = ["device", "set", "plant/agent/reader", ...data];
  await t.rejects(run([...reader, "--consumers", "some"]), { code: "CLI_USAGE", message: /--consumers/ });
  await t.rejects(run([...change, "--reconcile-by", path]), { code: "CLI_USAGE", message: /which account/ });
  const ruled = await run([...reader, "--consumers", "none", "--reconcile-by", path]);
  t.match(ruled.stdout, new RegExp(`plant/agent/reader: set anew by ${path} .*; does not wait for the gateways`));
  await t.rejects(run([...reader, "--rotate-after", "lunch"]), { code: "CLI_USAGE", message: /--rotate-after/ });
  t.match((await run([...reader, "--rotate-after", "person-read,revert"])).stdout, /an hour after a person read it/);
  t.match(JSON.parse((await run([...reader, "--rotate-after", "revert", "--no-reconcile-by", "--json"])).stdout), {
    accounts: [{}, { consumers: "none", reconcileBy: null, rotateOn: ["revert"] }],
  });
  await t.rejects(run(["device", "reconcile", path, ...data]), { code: "ORDER_NO_EDGE" });
  await t.rejects(run(["group", "add", "login", path, "plant/agent/reader", "--shared", ...data]), { code: "NOT_AVAILABLE" });
  t.equal((await run(["group", "add", "login", path, "plant/agent/reader", ...data])).exit, 0);
  t.match((await run(["group", "list", ...data])).stdout, /login +plant +plant\/agent\/operator plant\/agent\/reader/);
  t.match((await run(["device", "show", "plant/agent", ...data])).stdout, /changes with group login/);
  t.match((await run(["group", "remove", "login", ...data])).stdout, /login is no group any more/);

  const file = join(parent, "own.yaml");
  writeFileSync(file, readBuiltinModel("generic-snmpv3").text.replaceAll("generic-snmpv3", "own-model"));
  await run([...add.map((word) => ({ agent: "own", "generic-snmpv3": file })[word] ?? word), "--account", "operator"]);
  const own = ["device", "set", "plant/own", ...data];
  t.equal(JSON.parse((await run([...own, "--port", "1161", "--json"])).stdout).port, 1161, "a model file lies at the vault");
  await t.rejects(run([...own, "--set", "colour=blue"]), { code: "CLI_USAGE", message: /own-model/ });

  await run(["app", "add", "scada", ...data]);
  await run(["app", "grant", "scada", "plant/**", ...data]);
  const useless = await run(["app", "grant", "scada", "plant/*", ...data]);
  t.match(useless, { exit: 0, stderr: /plant\/\* matches nothing.*plant\/\*\*/ });
  t.notMatch((await run(["app", "grant", "scada", "plant/*", "--revoke", ...data])).stderr, /matches/);
  t.match((await run(["app", "token", "scada", ...data])).stdout, /^tga_[a-z2-7]{52}\n$/);
  const token = join(parent, "token");
  await run(["app", "token", "scada", "--out", token, ...data]);
  t.equal(statSync(token).mode & 0o777, 0o600);
  await run(["app", "grant", "scada", "plant/**", "--revoke", ...data]);
  await run(["app", "disable", "scada", ...data]);
  t.match(JSON.parse((await run(["app", "list", "--json", ...data])).stdout), [
    { name: "scada", disabled: true, grants: [], hasToken: true },
  ]);
});

t.test("what a later version brings says so by its code", async (t) => {
  for (const words of [
    ["device", "remove", "x"],
    ["exec", "x"],
  ]) {
    await t.rejects(run(words), { code: "NOT_AVAILABLE" }, words.join(" "));
  }
});

t.test("a vault that was killed is not running: status says so, and a backup is made without it", async (t) => {
  const parent = shortFolder(t);
  const folder = join(parent, "v");
  const key = join(parent, "key");
  createKeyFile(key, random);
  const data = ["--data", folder];
  await run(["vault", "init", ...data, "--key-file", key, "--listen", "127.0.0.1:0"]);
  // What it leaves: a socket on which nobody listens.
  writeRunFile(openDataFolder(folder), { role: "vault", pid: process.pid, nodeId: "x", listeners: {} });
  t.equal((await run(["status", ...data])).exit, 1);
  const file = join(parent, "backup");
  const made = await run(["vault", "backup", file, ...data, "--key-file", key, "--json"]);
  t.match(JSON.parse(made.stdout), { path: file });
  const carried = join(parent, "carried-away");
  renameSync(join(folder, "keys", "recovery.sealed"), carried);
  const recover = ["vault", "recover-escrow", ...data, "--key-file", key];
  await t.rejects(run(recover), { code: "SEAL_KEY_MISSING", hint: /--recovery-key/ });
  const named = [...recover, "--recovery-key", relative(process.cwd(), carried)];
  await t.rejects(run(named), { code: "ADMIN_UNREACHABLE" }, "a file is named from where the command runs");
  const none = ["vault", "restore", join(parent, "none"), "--data", join(parent, "r")];
  await t.rejects(run(none), { code: "CLI_FILE" }, "before the passphrase is asked for");
});
