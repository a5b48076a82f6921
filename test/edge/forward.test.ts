import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import t, { type Test } from "tap";
import { callAdmin } from "../../agent/admin/index.ts";
import type { ForwardStatus } from "../../agent/forward/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { EdgeWorld } from "./edge-world.ts";

/** Accepts, and never reads a byte. */
async function blackHole(t: Test): Promise<{ address: string; connections: () => number }> {
  const sockets: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket.on("error", () => {})));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => sockets.length };
}

async function metricsOf(world: EdgeWorld): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      { socketPath: world.folder.apiSocket, path: "/metrics", headers: { host: "localhost" } },
      async (answer) => {
        let text = "";
        for await (const chunk of answer) text += String(chunk);
        resolve(text);
      },
    );
    call.on("error", reject).end();
  });
}

t.test("collectors that hang, are full or gone hold up neither a read nor a rotation, and no secret goes to any", async (t) => {
  const folder = shortFolder(t);
  const hole = await blackHole(t);
  writeFileSync(join(folder, "full"), Buffer.alloc(1024 * 1024, "{}\n"));
  const working = join(folder, "events.jsonl");
  const world = new EdgeWorld(t);
  await world.listen();
  await world.join();
  const edge = await world.start({
    forward: [
      { name: "hole", format: "rfc5424", to: "tcp", address: hole.address },
      { name: "full", format: "cef", to: "file", path: join(folder, "full"), maxMib: 1 },
      { name: "gone", format: "ocsf", to: "unix", path: join(folder, "gone") },
      { name: "works", format: "json", to: "file", path: working },
    ],
  });
  t.teardown(() => edge.close());
  const statusOf = (name: string) => edge.parts.forwards().find((each) => each.name === name);
  await world.dialled(
    () => hole.connections() === 1 && statusOf("full")?.lastCode != null && statusOf("gone")?.lastCode != null,
  );
  t.equal((await world.read()).status, 200);
  await world.until(() => world.facts.some((fact) => fact.kind === "audit"));
  world.values.push([1, "new-1", "pool"], [2, "new-2", "pool"]);
  world.order("rotate");
  await world.until(() => world.facts.some((fact) => fact.kind === "order-outcome"));
  t.same(world.reports, ["proven 0", "verified 1"]);
  t.match((await world.read()).body, { fields: { password: "new-1" } });
  t.match(statusOf("hole"), { sent: 0, next: 0 }, "what was written to the one that hangs is not believed");
  await world.dialled(() => readFileSync(working, "utf8").includes("rotation.verified"));
  const told = readFileSync(working, "utf8");
  for (const secret of ["new-1", "new-2", '"old"', "token-of-the-historian"]) t.notOk(told.includes(secret), secret);
  const { forward } = (await callAdmin(world.folder.path, { method: "GET", path: "/v1/status" })) as {
    forward: ForwardStatus[];
  };
  t.match(forward, [
    { name: "hole", to: `tcp ${hole.address}`, sent: 0 },
    { name: "full", lastCode: "FORWARD_FILE_FULL", lastHint: String },
    { name: "gone", lastCode: "FORWARD_UNREACHABLE" },
    { name: "works", format: "json", missed: 0 },
  ]);
  // On a slow machine it may have been given up once, after half a minute.
  t.ok(hole.connections() <= 2, "one connection, however much happens");
  const metrics = await metricsOf(world);
  t.match(metrics, /^tidegate_forward_sent_total\{target="hole"\} 0$/m);
  t.match(metrics, /^tidegate_forward_behind\{target="full"\} [1-9]\d*$/m);
  t.match(metrics, /^tidegate_forward_failing\{target="gone",code="FORWARD_UNREACHABLE"\} 1$/m);
  t.match(metrics, /^tidegate_forward_missed_total\{target="works"\} 0$/m);
  await edge.close();
  t.pass("and an edge ends although a collector hangs");
});
