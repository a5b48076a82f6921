import { renameSync } from "node:fs";
import t from "tap";
import { until, zones } from "./built.ts";
import { Plant } from "./plant.ts";

t.setTimeout(240_000);

interface EdgeStatus {
  readonly tunnel: { readonly state: string; readonly lastCode?: string | null };
}

t.test("a gateway is replaced: its edge follows by itself, and never goes back to the one that was taken over", async (t) => {
  const plant = await Plant.start(t, { authPassword: "factory-Secret-1", privPassword: "factory-Secret-2" });
  const { system } = plant;
  const folder = plant.folder("gateway");
  const listeners = plant.listeners("gateway");
  const path = await plant.addAbsent("absent-1", "first");
  await system.edgeHolds(path, "1.0");
  const set = (secret: string) =>
    system.vault(["credential", "set", path, "--from-stdin"], `authPassword=${secret}A\nprivPassword=${secret}P`);
  /** Another gateway at the same place, while the edge is off: else it would be dialling less and less often. */
  const change = async (work: () => Promise<void> | void) => {
    await plant.stop("edge");
    await plant.stop("gateway");
    await work();
    await plant.run("gateway");
    await plant.run("edge");
  };

  await change(async () => {
    renameSync(folder, `${folder}-old`);
    const place = (name: string) => `${listeners[name]?.address}:${listeners[name]?.port}`;
    const join = ["--edges", place("edges"), "--api-tls", place("api-tls")];
    await system.join({ role: "gateway", name: "gw-1", enroll: ["--zone", "dmz", "--host", zones.dmz], join });
  });
  await set("second");
  await system.edgeHolds(path, "1.3");

  await change(() => {
    renameSync(folder, `${folder}-new`);
    renameSync(`${folder}-old`, folder);
  });
  // The old one does not even answer who dials its successor. One that does is refused, which the tunnel's own tests show.
  await until("the edge and the old gateway to part", async () => {
    const { tunnel } = await system.status<EdgeStatus>("edge");
    return tunnel.lastCode === "TUNNEL_REFUSED_BY_PEER" || null;
  });

  await change(() => {
    renameSync(folder, `${folder}-old`);
    renameSync(`${folder}-new`, folder);
  });
  await set("third");
  await system.edgeHolds(path, "1.6");
  t.same(await plant.close(), []);
});
