import t from "tap";
import { routeOf } from "../../agent/proxy/index.ts";
import { socketDial } from "../../agent/tunnel/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { WeatherProxy } from "../support/weather-proxy.ts";
import { EdgeWorld } from "./edge-world.ts";

t.test(
  "a proxy that answers 401, 403 or 407 takes nothing from the edge: the cache stays, and it comes back by itself",
  async (t) => {
    const world = new EdgeWorld(t);
    await world.listen();
    await world.join();
    for (const [status, code] of [
      ["401 Unauthorized", "LINK_PROXY_REFUSED"],
      ["403 Forbidden", "LINK_PROXY_REFUSED"],
      ["407 Proxy Authentication Required", "LINK_PROXY_LOGIN"],
      ["410 Gone", "LINK_PROXY_REFUSED"],
    ] as const) {
      const proxy = await WeatherProxy.start({
        answer: { bytes: `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`, ends: true },
      });
      const { host, port } = proxy.address;
      const route = routeOf({ address: `${host}:${port}`, except: [], inspectionCa: null }, new MemoryStore());
      const edge = await world.start({}, socketDial(null, route));
      const lastCode = () => {
        const now = edge.parts.hop.status();
        return now !== null && "lastCode" in now ? now.lastCode : null;
      };
      await world.dialled(() => lastCode() !== null);
      t.equal(lastCode(), code);
      t.match(await world.read(), { status: 200, body: { fields: { password: "old" }, version: "1.0" } }, status);
      t.equal(edge.parts.node.mode, "NORMAL");
      await edge.close();
      await proxy.close();
    }
    const edge = await world.start();
    t.teardown(() => edge.close());
    await world.order("verify").until(() => world.facts.some((fact) => fact.kind === "order-outcome"));
    t.match(await world.read(), { body: { fields: { password: "old" } } });
  },
);
