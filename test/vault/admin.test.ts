import { readdirSync, readFileSync } from "node:fs";
import t from "tap";
import { modelConstraints } from "../../vault/registry/index.ts";
import { passwordModel } from "./rig.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const password = Buffer.from("First-live1").toString("base64");

t.test("every call reports all problems of its input at once, each with its path and what is expected", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  const device = { name: "Pump", zone: "plant", model: { name: "m", constraints: {} }, host: "", port: 0, accounts: [] };
  const cases: [string, "POST" | "PUT", string, unknown, string[]][] = [
    ["device", "POST", "/v1/devices", device, ["name", "host", "port", "accounts"]],
    [
      "accounts",
      "POST",
      "/v1/devices",
      {
        ...device,
        name: "pump",
        host: "h",
        port: 65_536,
        settings: { "0": "x", unit: "a\nb" },
        accounts: [{ name: "a b", username: "u", rotate: "often", intervalS: 59, extra: true }],
      },
      [
        "port",
        "settings.0",
        "settings.unit",
        "accounts[0].name",
        "accounts[0].rotate",
        "accounts[0].intervalS",
        "accounts[0].extra",
      ],
    ],
    [
      "credential",
      "PUT",
      "/v1/credentials",
      { path: "pump", fields: { password: "not base64!" } },
      ["path", "fields.password"],
    ],
    ["order", "POST", "/v1/orders", { path: "x", action: "erase", withinS: 59 }, ["path", "action", "withinS"]],
    ["application", "POST", "/v1/applications", { name: "A", uid: -1, node: 3 }, ["name", "uid", "node"]],
    ["grant", "POST", "/v1/applications/scada/grants", { pattern: "plant/**/x" }, ["pattern"]],
    ["reveal", "POST", "/v1/credentials/reveal", { path, version: "latest" }, ["version"]],
    ["nothing at all", "POST", "/v1/applications", undefined, [""]],
  ];
  for (const [title, method, route, body, paths] of cases) {
    const error = await rig.call(method, route, body).then(
      () => ({ code: "accepted", problems: [] }),
      (refusal: { code: string; problems: { path: string; expected: string }[] }) => refusal,
    );
    t.equal(error.code, "REQUEST_INVALID", title);
    t.same(error.problems.map((problem) => problem.path).sort(), [...paths].sort(), title);
    t.ok(
      error.problems.every(({ expected }) => expected.length > 0),
      title,
    );
  }
});

t.test("what the store has or lacks is refused by its code", async (t) => {
  const rig = await VaultRig.make(t);
  const account = { name: "operator", username: "operator" };
  const device = {
    name: "pump",
    zone: "plant",
    model: { name: "generic", constraints: passwordModel },
    host: "h",
    port: 1,
    accounts: [account],
  };
  const fields = { password };
  await t.rejects(rig.call("POST", "/v1/devices", device), { code: "REGISTRY_NOT_FOUND", hint: /vault enroll/ }, "no zone");
  await rig.join(t, edge);
  await rig.call("POST", "/v1/devices", { ...device, accounts: [account, { ...account, name: "viewer", rotate: "never" }] });
  const constraints = () => rig.core.store.read((tx) => modelConstraints(tx, "generic"));
  const parsed = await constraints();
  t.equal(await constraints(), parsed, "a model's constraints are parsed once");
  const interval = { ...account, rotate: "interval" };
  const broken = {
    ...device,
    name: "p2",
    model: { name: "odd", constraints: { password: { kind: "digits", minLength: 9, maxLength: 2 } } },
  };
  const cases: [string, () => Promise<unknown>, string][] = [
    ["the same device", () => rig.call("POST", "/v1/devices", device), "REGISTRY_EXISTS"],
    [
      "one account twice",
      () => rig.call("POST", "/v1/devices", { ...device, name: "p2", accounts: [account, account] }),
      "REGISTRY_INVALID",
    ],
    [
      "an interval without its length",
      () => rig.call("POST", "/v1/devices", { ...device, name: "p2", accounts: [interval] }),
      "REGISTRY_INVALID",
    ],
    ["constraints that nothing meets", () => rig.call("POST", "/v1/devices", broken), "GENERATION_IMPOSSIBLE"],
    ["no such account", () => rig.call("PUT", "/v1/credentials", { path: "plant/pump/root", fields }), "REGISTRY_NOT_FOUND"],
    [
      "no such field",
      () => rig.call("PUT", "/v1/credentials", { path, fields: { pin: password } }),
      "GENERATION_VALUE_REFUSED",
    ],
    ["no field", () => rig.call("PUT", "/v1/credentials", { path, fields: {} }), "CONTENT_FIELDS_INVALID"],
    ["nothing to show", () => rig.call("GET", `/v1/credentials?path=${path}`), "REGISTRY_NO_CREDENTIAL"],
    ["nothing to rotate", () => rig.call("POST", "/v1/orders", { path, action: "rotate" }), "REGISTRY_NO_CREDENTIAL"],
    ["no such order", () => rig.call("GET", "/v1/orders/00"), "REGISTRY_NOT_FOUND"],
    ["no such device", () => rig.call("GET", "/v1/devices/plant/none"), "REGISTRY_NOT_FOUND"],
    ["no such application", () => rig.call("POST", "/v1/applications/none/token"), "REGISTRY_NOT_FOUND"],
    ["no such node", () => rig.call("POST", "/v1/applications", { name: "app", node: "none" }), "REGISTRY_NOT_FOUND"],
  ];
  for (const [title, call, code] of cases) await t.rejects(call(), { code }, title);
  await rig.call("PUT", "/v1/credentials", { path: "plant/pump/viewer", fields });
  await t.rejects(rig.call("POST", "/v1/orders", { path: "plant/pump/viewer", action: "rotate" }), {
    code: "ORDER_NOT_ALLOWED",
  });
  await rig.call("POST", "/v1/orders", { path: "plant/pump/viewer", action: "verify" });
  await rig.call("POST", "/v1/applications", { name: "app" });
  await t.rejects(rig.call("POST", "/v1/applications", { name: "app" }), { code: "REGISTRY_EXISTS", hint: /app token app/ });
  await t.rejects(rig.call("DELETE", "/v1/applications/app/grants?pattern=plant/**"), { code: "REGISTRY_NOT_FOUND" });
});

t.test(
  "a device is corrected in place: its edge gets a delta, its leaf says what, its accounts and identity stay",
  async (t) => {
    const rig = await VaultRig.make(t);
    const node = await rig.join(t, edge);
    await rig.addPump("plant");
    await rig.setPassword(path, "First-live1");
    await node.exchange();
    await rig.core.store.transaction((tx) => tx.updateTable("devices").set({ identity: "serial 7" }).execute());
    const reached = () =>
      node.node.withState((view) =>
        [...view.devices].map(([key, { content }]) => ({ key, host: content.host, port: content.port })),
      );
    const [before] = reached();
    const waiting = (await rig.outbox(node.node.nodeId)).length;
    const route = "/v1/devices/plant/pump";
    const reach = { host: "10.0.0.10", port: 1161, settings: { community: "b" } };
    t.match(await rig.call("PUT", route, reach), { ...reach, identity: "serial 7", accounts: [{ path, version: "1.0" }] });
    await rig.call("PUT", route, reach);
    t.equal((await rig.outbox(node.node.nodeId)).length, waiting + 1, "one delta, and none for what is the same already");
    await node.exchange();
    t.same(reached(), [{ key: before?.key, host: "10.0.0.10", port: 1161 }], "the same device, so that its pin holds");
    const leaves = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").execute());
    const changes = leaves
      .map(({ leaf }) => JSON.parse(Buffer.from(leaf).toString()))
      .filter((leaf) => leaf.action === "device.change");
    t.match(changes, [
      { subject: { id: "plant/pump" }, details: { field: "host, port, settings", host: "10.0.0.10", port: 1161 } },
    ]);
    t.equal(changes.length, 1);
    const bad: [string, unknown, { code: string }][] = [
      [route, { host: "", port: 0, settings: { "0": "x" } }, { code: "REQUEST_INVALID" }],
      [route, { host: "h", port: 1 }, { code: "REQUEST_INVALID" }],
      ["/v1/devices/plant/none", reach, { code: "REGISTRY_NOT_FOUND" }],
    ];
    for (const [at, body, refusal] of bad) await t.rejects(rig.call("PUT", at, body), refusal);
  },
);

t.test("an order where no edge could carry it out is refused", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "gw-1", role: "gateway", zone: "plant" });
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await t.rejects(rig.call("POST", "/v1/orders", { path, action: "rotate" }), { code: "ORDER_NO_EDGE" });
});

t.test("a secret is shown only by the call that reveals it, and its leaf stands before", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  await rig.setPassword(path, "Second-live");
  for (const route of [
    `/v1/credentials?path=${path}`,
    `/v1/credentials/history?path=${path}`,
    "/v1/devices",
    "/v1/status",
    "/v1/nodes",
  ]) {
    t.notMatch(JSON.stringify(await rig.call("GET", route)), new RegExp(`${password}|First|Second`), route);
  }
  t.match(await rig.call("POST", "/v1/credentials/reveal", { path, version: "1.0" }), {
    fields: { password },
    status: "superseded",
  });
  t.match(await rig.call("POST", "/v1/credentials/reveal", { path }), {
    fields: { password: Buffer.from("Second-live").toString("base64") },
    version: "1.3",
  });
  const leaves = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").orderBy("place").execute());
  const shown = leaves
    .map(({ leaf }) => JSON.parse(Buffer.from(leaf).toString()))
    .filter((leaf) => leaf.action === "credential.show");
  t.same(
    shown.map(({ details }) => details),
    [
      { epoch: 1, history: true, number: 0 },
      { epoch: 1, history: false, number: 3 },
    ],
  );
  t.notMatch(leaves.map(({ leaf }) => Buffer.from(leaf).toString()).join(), /First|Second/, "no leaf holds a value");
});

t.test("a token is told once, and only its hash is stored", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.call("POST", "/v1/applications", { name: "scada" });
  const { token } = await rig.call("POST", "/v1/applications/scada/token");
  t.match(token, /^tga_[a-z2-7]{52}$/);
  t.not((await rig.call("POST", "/v1/applications/scada/token"))["token"], token, "a new one each time");
  const found = readdirSync(rig.folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && readFileSync(`${entry.parentPath}/${entry.name}`).includes(String(token).slice(4)),
  );
  t.same(found, []);
});

t.test("a change whose bundle cannot be issued has not happened", async (t) => {
  const rig = await VaultRig.make(t);
  const node = await rig.join(t, edge);
  await rig.addPump("plant");
  const before = (await rig.outbox(node.node.nodeId)).length;
  const { log } = rig.core;
  const append = log.append.bind(log);
  log.append = async (tx, event) => {
    if (event.action === "bundle.seal") throw new Error("planted");
    await append(tx, event);
  };
  await t.rejects(rig.setPassword(path, "First-live1"), { message: "planted" });
  log.append = append;
  await t.rejects(rig.call("GET", `/v1/credentials?path=${path}`), { code: "REGISTRY_NO_CREDENTIAL" });
  t.equal((await rig.outbox(node.node.nodeId)).length, before);
  t.equal(await rig.setPassword(path, "First-live1"), "1.0", "its number was not used up");
});
