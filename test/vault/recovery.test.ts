import t from "tap";
import { type AttemptRules, budgetNow } from "../../vault/recovery/index.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
const minute = 60_000;

interface Candidates {
  candidates: { version: string; status: string; why: string }[];
  edge: { name: string; lastHeardAtMs: number | null } | null;
}

async function actions(rig: VaultRig): Promise<string[]> {
  const leaves = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").orderBy("place").execute());
  return leaves.map(({ leaf }) => Buffer.from(leaf).toString());
}

/** A vault with one account whose values are 1.0, acknowledged, and the open 1.1 and 1.2. */
async function pump(t: Parameters<typeof VaultRig.make>[0]): Promise<VaultRig> {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  return rig;
}

async function order(rig: VaultRig): Promise<string[]> {
  const found = (await rig.call("GET", `/v1/credentials/candidates?path=${path}`)) as unknown as Candidates;
  return found.candidates.map(({ version, status }) => `${version} ${status}`);
}

t.test("the candidates of a lost edge stand in the order to try, without their values", async (t) => {
  const rig = await pump(t);
  const found = (await rig.call("GET", `/v1/credentials/candidates?path=${path}`)) as unknown as Candidates;
  t.same(await order(rig), ["1.0 acknowledged", "1.1 issued", "1.2 issued"]);
  t.ok(found.candidates.every(({ why }) => why.length > 0));
  t.equal(found.edge?.name, "edge-1");
  t.notMatch(JSON.stringify(found), /First-live1|Rmlyc3Q/);
});

t.test("values are shown after a leaf that names each version", async (t) => {
  const rig = await pump(t);
  const shown = (await rig.call("POST", "/v1/credentials/recover", { path })) as unknown as {
    version: string;
    fields: object;
  }[];
  t.same(
    shown.map(({ version }) => version),
    ["1.0", "1.1", "1.2"],
  );
  t.match((await actions(rig)).at(-1), /credential\.recover.*"count":3.*"versions":"1\.0 1\.1 1\.2"/);
  await rig.call("POST", "/v1/credentials/recover", { path, versions: ["1.1"] });
  t.match((await actions(rig)).at(-1), /"count":1.*"versions":"1\.1"/);
  await t.rejects(rig.call("POST", "/v1/credentials/recover", { path, versions: ["1.9"] }), { code: "REGISTRY_NOT_FOUND" });
});

t.test("the budget forgives only what is a whole window old, and counts the edge's own attempts", async (t) => {
  const rules: AttemptRules = { limit: 1, windowMs: 30 * minute, locks: true };
  const at = 1_000_000_000;
  const spent = (lastAtMs: number, count = 1) => ({ spent: count, lastAtMs });
  const cases: [string, ReturnType<typeof spent> | null, AttemptRules, number, number][] = [
    ["the edge may have tried until now", null, rules, at, 30 * minute],
    ["off for ten minutes", null, rules, at - 10 * minute, 20 * minute],
    ["off for longer than the window", null, rules, at - 31 * minute, 0],
    ["a device that never locks", null, { ...rules, locks: false }, at, 0],
    ["spent a minute ago", spent(at - minute), rules, 0, 29 * minute],
    ["one below the limit", spent(at - minute, 2), { ...rules, limit: 3 }, 0, 0],
    ["at the limit", spent(at - minute, 3), { ...rules, limit: 3 }, 0, 29 * minute],
    ["a window ago", spent(at - 30 * minute), rules, 0, 0],
    ["a clock that was set back", spent(at + minute), rules, 0, 30 * minute],
  ];
  for (const [title, known, given, edgeOffSinceMs, waitMs] of cases) {
    t.equal(budgetNow(known, given, { nowMs: at, edgeOffSinceMs }).waitMs, waitMs, title);
  }
});

t.test("each login is debited before it leaves, and comes back where it spent none", async (t) => {
  const rig = await pump(t);
  const begin = { path, limit: 2, windowMs: 10 * minute, locks: true, shared: false };
  const ask = (version: string, more: object = {}) =>
    rig.call("POST", "/v1/credentials/probe/begin", { ...begin, version, ...more }) as Promise<{
      waitMs: number;
      fields: unknown;
    }>;
  const tell = (version: string, outcome: string, spent: boolean) =>
    rig.call("POST", "/v1/credentials/probe/end", { path, version, outcome, spent, says: "DEVICE_CODE" });
  t.match(await ask("1.0"), { waitMs: 10 * minute, fields: null }, "the edge may have tried just now");
  t.match(await ask("1.0", { edgeOffForMs: 4 * minute }), { waitMs: 6 * minute }, "what the operator says counts");
  rig.seams.nowMs += 6 * minute;
  t.match(await ask("1.0"), { waitMs: 0, fields: { password: /./ } });
  await tell("1.0", "NOT_SENT", false);
  t.match(await ask("1.0"), { waitMs: 0 });
  await tell("1.0", "REJECTED_AUTH", true);
  t.match(await ask("1.2"), { waitMs: 0 });
  await rig.reopen();
  t.match(await ask("1.1"), { waitMs: 10 * minute, fields: null }, "a vault that died in between knows of both");
  await tell("1.2", "AMBIGUOUS", true);
  t.match(await ask("1.1"), { waitMs: 10 * minute });
  rig.seams.nowMs += 10 * minute;
  t.match(await ask("1.1"), { waitMs: 0 });
  await tell("1.1", "OK", false);
  t.same(
    (await order(rig)).slice(0, 3),
    ["1.1 acknowledged", "1.2 issued", "1.3 issued"],
    "what logged in is current, and the pool full again",
  );
  t.match((await actions(rig)).filter((leaf) => /rotation\.p/.test(leaf)).at(-1), /rotation\.proven.*"number":1/);
  const history = (await rig.call("GET", `/v1/credentials/history?path=${path}`)) as {
    versions?: { provenBy: string | null; statusAtMs: number | null }[];
  };
  t.match(
    history.versions?.find(({ provenBy }) => provenBy !== null),
    { version: "1.1", provenBy: "vault", statusAtMs: rig.seams.nowMs },
  );
  await t.rejects(ask("1.9"), { code: "REGISTRY_NOT_FOUND" });
});

t.test("accounts that lock together share one budget", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  const accounts = ["operator", "viewer"].map((name) => ({ name, username: name }));
  await rig.addPump("plant", { accounts });
  const off = { limit: 1, windowMs: 10 * minute, locks: true, shared: true, edgeOffForMs: 60 * minute };
  for (const { name } of accounts) await rig.setPassword(`plant/pump/${name}`, "First-live1");
  const ask = (name: string) =>
    rig.call("POST", "/v1/credentials/probe/begin", { ...off, path: `plant/pump/${name}`, version: "1.0" }) as Promise<{
      waitMs: number;
    }>;
  t.match(await ask("operator"), { waitMs: 0 });
  t.match(await ask("viewer"), { waitMs: 10 * minute });
});
