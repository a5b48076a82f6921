import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { WeatherProxy } from "../support/weather-proxy.ts";
import { DemoSystem, freePort, until, zones } from "./built.ts";
import { publicFace } from "./processes.ts";
import { searchBytes, searchFolder } from "./search.ts";

t.setTimeout(240_000);

const entry = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs a command with something on its standard input. */
function tidegate(words: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [entry, ...words], { env: {} }, (error) =>
      error === null ? resolve() : reject(error),
    );
    child.stdin?.end(input);
  });
}

const login = "plant:Proxy-password-2345";

interface Status {
  readonly tunnel: { readonly state: string; readonly lastCode?: string; readonly hint?: string };
}

t.test("a gateway joins and dials through a proxy whose login is kept sealed, and says what is wrong with it", async (t) => {
  const system = new DemoSystem();
  const proxy = await WeatherProxy.start({ login });
  t.teardown(async () => {
    await system.close({ keep: false });
    await proxy.close();
  });
  const vault = `${zones.vault}:${await freePort(zones.vault)}`;
  await system.vault(["vault", "init", "--listen", vault]);
  await system.start("vault");
  const words = [
    "--proxy",
    `${proxy.address.host}:${proxy.address.port}`,
    "--proxy-login-file",
    system.write("login", `${login}\n`),
  ];
  await system.join({ role: "gateway", name: "gw-1", enroll: ["--zone", "dmz"], join: words });
  t.same(proxy.asked, [vault], "the join went through it");
  const gateway = await system.start("gateway");
  const state = (wanted: string) =>
    until(`the tunnel to be ${wanted}`, async () => {
      const { tunnel } = await system.status<Status>("gateway");
      return tunnel.state === wanted ? tunnel : null;
    });
  const lastCode = (code: string) =>
    until(`the dial to end with ${code}`, async () => {
      const { tunnel } = await system.status<Status>("gateway");
      return tunnel.lastCode === code ? tunnel : null;
    });
  await state("open");
  t.ok(proxy.asked.length > 1 && proxy.asked.every((place) => place === vault));
  const folder = system.folder("gateway");
  t.match(readFileSync(join(folder, "tidegate.yaml"), "utf8"), /address: 127\.0\.0\.1:\d+/);
  const wanted = [{ name: "the proxy's password", value: login.slice(login.indexOf(":") + 1) }];
  t.same(searchBytes(publicFace(gateway.pid), wanted, "arguments and environment"), []);
  t.same(searchBytes(Buffer.from(gateway.printed()), wanted, "the log"), []);
  t.same(searchFolder(folder, wanted), []);
  await tidegate(["gateway", "proxy-login", "--from-stdin", "--data", folder], "plant:another");
  await system.stop("gateway");
  await system.start("gateway");
  t.match(await lastCode("LINK_PROXY_LOGIN"), { hint: /proxy-login/ });
  await tidegate(["gateway", "proxy-login", "--from-stdin", "--data", folder], login);
  await state("open");
});
