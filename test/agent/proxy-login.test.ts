import t from "tap";
import { parseConfig } from "../../agent/config/index.ts";
import {
  forgetProxyLogin,
  hasProxyLogin,
  loadProxyLogin,
  proxyLoginRoutes,
  routeOf,
  saveProxyLogin,
} from "../../agent/proxy/index.ts";
import { edgeConfigSchema } from "../../edge/index.ts";
import { Secret } from "../../protocol/base/index.ts";
import { MemoryStore } from "../support/memory-store.ts";

const text = (secret: Secret | null) => secret?.use((bytes) => Buffer.from(bytes).toString()) ?? null;

t.test("a login is kept, given anew at each dial, replaced and forgotten", async (t) => {
  const store = new MemoryStore();
  t.equal(loadProxyLogin(store), null);
  saveProxyLogin(store, Secret.fromText("plant:first"));
  saveProxyLogin(store, Secret.fromText("plant:sec:ond"));
  const route = routeOf({ address: "proxy.plant.example:3128", except: [], inspectionCa: null }, store);
  t.match(route, { address: { host: "proxy.plant.example", port: 3128 } });
  const lent = route?.login() ?? null;
  lent?.wipe();
  t.equal(text(route?.login() ?? null), "plant:sec:ond", "wiping what was lent takes nothing away");
  forgetProxyLogin(store);
  t.equal(hasProxyLogin(store), false);
  t.equal(route?.login(), null);
  t.equal(routeOf(null, store), null);
});

t.test("what is no login is refused, and the one before stays", async (t) => {
  const store = new MemoryStore();
  saveProxyLogin(store, Secret.fromText("a:b"));
  for (const bad of ["no colon", ":empty user", "a:b\r\nX: y", "a:\u007f", `a:${"x".repeat(1_023)}`])
    t.throws(() => saveProxyLogin(store, Secret.fromText(bad)), { code: "PROXY_LOGIN_MALFORMED" }, bad.slice(0, 20));
  t.equal(text(loadProxyLogin(store)), "a:b");
  for (const length of [1_021, 1_022]) {
    saveProxyLogin(store, Secret.fromText(`a:${"x".repeat(length)}`));
    t.equal(loadProxyLogin(store)?.length, length + 2);
  }
});

t.test("the admin socket takes a login and never tells it", async (t) => {
  const store = new MemoryStore();
  const routes = proxyLoginRoutes(store);
  const set = routes.find(({ method }) => method === "POST");
  const get = routes.find(({ method }) => method === "GET");
  const body = (login: string | null) => ({ body: { login }, params: {}, query: undefined }) as never;
  t.same(await set?.handle(body(Buffer.from("a:b").toString("base64"))), { login: true });
  t.same(await get?.handle(body(null)), { login: true });
  t.equal(text(loadProxyLogin(store)), "a:b");
  t.same(await set?.handle(body(null)), { login: false });
});

t.test("the section proxy of a configuration names what is wrong with it", async (t) => {
  const load = (proxy: string) => parseConfig(`gateway: { address: gw:7444 }\nproxy: ${proxy}\n`, edgeConfigSchema, "x").proxy;
  t.equal(load("null"), null);
  t.same(load("{ address: proxy:3128 }"), { address: "proxy:3128", except: [], inspectionCa: null });
  t.match(load("{ inspectionCa: /etc/ca.pem, except: [.plant.example, 10.0.0.0/8] }"), { address: null });
  for (const bad of [
    "{}",
    "{ address: proxy }",
    "{ address: proxy:3128, except: [10.0.0.0/40] }",
    "{ login: a:b, address: p:1 }",
  ])
    t.throws(() => load(bad), { code: "CONFIG_INVALID" }, bad);
});
