import { createServer } from "node:http";
import { join } from "node:path";
import t from "tap";
import { shortFolder } from "../support/short-folder.ts";
import { MediaRig } from "./media-rig.ts";
import { run } from "./run.ts";
import { runningVault } from "./running-vault.ts";

t.test("rules of freshness at the vault's command line", async (t) => {
  const data = await runningVault(t);
  const freshness = (...words: string[]) => run(["freshness", ...words, ...data]);
  const said = await freshness("set", "plant/**", "--stale-after", "7d", "--when-stale", "deny", "--ttl", "30d");
  t.match(said.stdout, "plant/**: deny after 604800 s of silence, nothing is served after 2592000 s");
  t.same(JSON.parse((await freshness("list", "--json")).stdout), [
    { pattern: "plant/**", model: null, staleAfterS: 604_800, whenStale: "deny", ttlS: 2_592_000, memoryOnly: false },
  ]);
  await t.rejects(freshness("set", "**", "--model", "eastron-sdm", "--memory-only"), { code: "REGISTRY_NOT_FOUND" });
  const again = (await freshness("set", "plant", "--memory-only")).stdout.trim().split("\n");
  t.match(again, [/^plant\/\*\*: held in memory only$/, /^plant is no account/, /^No account/, /^In place of: deny after/]);
  await freshness("remove", "plant");
  t.same(JSON.parse((await freshness("list", "--json")).stdout), []);
  await t.rejects(freshness("remove", "plant/**"), { code: "REGISTRY_NOT_FOUND" });
  await t.rejects(freshness("set", "plant/**/a", "--ttl", "1d"), { code: "REQUEST_INVALID" });
  const wrong = [[], ["--stale-after", "soon"], ["--ttl", "0d"], ["--ttl", "1d", "--when-stale", "hide"]];
  for (const words of wrong) await t.rejects(freshness("set", "plant/**", ...words), { code: "CLI_USAGE" }, words.join(" "));
});

t.test("get waits for another version, asks again each minute, and says where none came", async (t) => {
  const asked: string[] = [];
  const answers = [304, 200];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const status = request.url?.includes("?") === true ? (answers.shift() ?? 304) : 200;
    const version = asked.length === 1 ? "1.1" : "1.2";
    const vaultLastHeardAt = "2026-01-02T03:04:05.000Z";
    const body = { path: "a/b/c", username: "u", fields: { password: version }, version, stale: true, vaultLastHeardAt };
    response.writeHead(status);
    response.end(status === 200 ? JSON.stringify(body) : undefined);
  });
  const socket = join(shortFolder(t), "api.sock");
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.teardown(() => server.close());
  const secrets = { "application token": "tga_x" };
  const get = (...words: string[]) => run(["get", "a/b/c", "--socket", socket, ...words], { secrets });
  const changed = await get("--wait", "2m");
  t.match(changed, { stdout: "1.2\n", exit: 0 });
  t.match(changed.stderr, "stale", "a stale value is pointed out");
  const waited = "/v1/credentials/a/b/c?after=1.1&waitMs=60000";
  t.same(asked.splice(0), ["/v1/credentials/a/b/c", waited, waited]);
  t.match(await get("--wait", "5s", "--after", "1.2"), { stdout: "", exit: 1 });
  t.same(asked, ["/v1/credentials/a/b/c?after=1.2&waitMs=5000"]);
  await t.rejects(get("--after", "1.2"), { code: "CLI_USAGE" });
  await t.rejects(get("--wait", "long"), { code: "CLI_USAGE" });
  asked.length = 0;
  await run(["get", "größe/b?c/d#e", "--socket", socket], { secrets });
  t.same(asked, ["/v1/credentials/gr%C3%B6%C3%9Fe/b%3Fc/d%23e"], "whatever is typed stays a path");
});

t.test("a limit that is set for a zone or a device holds where an edge and a gateway read an account below it", async (t) => {
  const rig = await MediaRig.make(t);
  const [edge, gateway] = [await rig.edge("edge-1", "plant"), await rig.gateway("gw-1")];
  const paths = ["plant/pump/operator", "plant/pump-2/operator"];
  for (const name of ["pump", "pump-2"]) await rig.vault.addPump("plant", { name });
  for (const path of paths) await rig.vault.setPassword(path, "x");
  await rig.vault.call("POST", "/v1/applications", { name: "scada", node: "gw-1" });
  await rig.vault.call("POST", "/v1/applications/scada/grants", { pattern: "plant/**" });
  const limit = { whenStale: "deny", staleAfterS: null };
  await rig.vault.call("PUT", "/v1/freshness", { ...limit, pattern: "plant", ttlS: 3600 });
  await rig.vault.call("PUT", "/v1/freshness", { ...limit, pattern: "plant/pump", ttlS: 60 });
  const stick = rig.stick();
  await rig.atVault.write(stick);
  await Promise.all([edge.read(stick), gateway.read(stick)]);
  for (const source of [edge.core.credentials, gateway.core.parts.credentials])
    t.same(
      paths.map((path) => source.find(path)?.freshness),
      [60, 3600].map((ttlS) => ({ ...limit, ttlS })),
    );
});
