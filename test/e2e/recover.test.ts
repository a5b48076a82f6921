import { createSocket, type Socket } from "node:dgram";
import { rmSync } from "node:fs";
import t, { type Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { until, zones } from "./built.ts";
import { atTheVault } from "./command-line.ts";
import { type DemoDevice, Plant } from "./plant.ts";

t.setTimeout(240_000);

/** The KeyChange is by far the largest request of a rotation: both keys, the spin lock and a marker in one PDU. */
const keyChangeBytes = 250;

/** A relay before the agent that, once told to, passes the change on and loses every answer from then on. */
class Relay {
  readonly #front = createSocket("udp4");
  readonly #backs = new Map<number, Socket>();
  #cutting = false;
  #lost = false;
  readonly #cut = Promise.withResolvers<void>();

  static async start(t: Test, target: { host: string; port: number }): Promise<Relay> {
    const relay = new Relay();
    relay.#front.on("message", (datagram, from) => {
      if (relay.#cutting && datagram.length > keyChangeBytes) {
        relay.#lost = true;
        // The agent has applied it once its answer is here.
        relay.#back(from.port).once("message", () => relay.#cut.resolve());
      }
      relay.#back(from.port).send(datagram, target.port, target.host);
    });
    await new Promise<void>((resolve) => relay.#front.bind(0, "127.0.0.1", () => resolve()));
    t.teardown(() => {
      for (const socket of [relay.#front, ...relay.#backs.values()]) socket.close();
    });
    return relay;
  }

  get port(): number {
    return this.#front.address().port;
  }

  /** Resolves when a change has been applied and its answer lost. */
  cutNextChange(): Promise<void> {
    this.#cutting = true;
    return this.#cut.promise;
  }

  pass(): void {
    this.#cutting = false;
    this.#lost = false;
  }

  #back(port: number): Socket {
    let back = this.#backs.get(port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("message", (answer) => {
        if (!this.#lost) this.#front.send(answer, port, "127.0.0.1");
      });
      this.#backs.set(port, back);
    }
    return back;
  }
}

/** Versions of which an independent judge says that they log in. */
async function accepted(plant: Plant, device: DemoDevice): Promise<string[]> {
  const works: string[] = [];
  for (const { version } of await plant.history(device.path)) {
    const { fields } = await plant.reveal(device.path, version);
    if (await device.accepts(fields)) works.push(version);
  }
  return works;
}

await peerSuite(
  t,
  { name: "snmpd", packages: "snmpd snmp", installed: findProgram("snmpd") !== null && findProgram("snmpget") !== null },
  async (suite) => {
    const plant = await Plant.start(t, { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" });
    const [agent] = plant.devices;
    if (agent === undefined || plant.devices.length < 2) throw new Error("no agent");
    suite.stated(/Net-SNMP (\S+)/.exec(agent.title)?.[1] ?? "not stated");
    const own = Number(agent.add[agent.add.indexOf("--port") + 1]);
    const relay = await Relay.start(t, { host: zones.segment, port: own });
    const behind = agent.add.map((word) =>
      word === zones.segment ? "127.0.0.1" : word === String(own) ? String(relay.port) : word,
    );
    plant.devices.splice(0, 2, { ...agent, add: behind });

    await suite.test(
      "incident 4: an edge's folder is gone in the middle of a rotation, and the vault finds the password",
      async (t) => {
        await plant.adopt();
        const cut = relay.cutNextChange();
        await plant.order(agent.path);
        await cut;
        await until("the edge to be at SENT", async () => ((await plant.rotation(agent.path)).state === "SENT" ? true : null));
        await plant.kill("edge");
        rmSync(plant.folder("edge"), { recursive: true });
        relay.pass();
        const [live] = await accepted(plant, agent);
        t.equal(live, "1.1", "the agent took the change, and nobody was told");

        const list = await atTheVault(t, plant, ["credential", "recover", agent.path]);
        t.match(list.out, /1\. +1\.0 +acknowledged[\s\S]*1\.1 +issued/);
        t.match(list.out, /warning: edge edge-1/);
        const refused = await atTheVault(t, plant, ["credential", "recover", agent.path, "--probe"]);
        t.match(refused.err, /RECOVER_EDGE_ALIVE/);
        const place = ["--host", zones.segment, "--port", String(own)];
        const probed = await atTheVault(t, plant, [
          "credential",
          "recover",
          agent.path,
          "--probe",
          "--edge-off-for",
          "1",
          ...place,
        ]);
        t.equal(probed.exit, 0);
        t.match(probed.out, /1\.1 is live and current now/);
        t.equal((await plant.reveal(agent.path)).version, "1.1");
        await atTheVault(t, plant, ["credential", "history", agent.path]);
      },
    );

    await suite.test("an edge in its place begins with what was found, and goes on", async (t) => {
      const { edges } = plant.listeners("gateway");
      const address = `${edges?.address}:${edges?.port}`;
      const enroll = ["--zone", "line-4", "--via", "gw-1", "--address", address];
      await plant.system.join({ role: "edge", name: "edge-1", enroll, join: [] });
      await plant.run("edge");
      await plant.system.edgeHolds(agent.path, "1.1");
      t.equal(await plant.ordered(await plant.order(agent.path)), "done");
      const current = await until("the vault to learn of it", async () => {
        const { version } = await plant.reveal(agent.path);
        return version === "1.1" ? null : version;
      });
      t.same(await accepted(plant, agent), [current], `exactly one password works: ${current}`);
    });

    await suite.test(
      "after a raised epoch the edge escrows what it holds, and goes on once the recovery key has opened it",
      async (t) => {
        const raised = await atTheVault(t, plant, ["vault", "raise-epoch"]);
        t.match(raised.out, /vault epoch 2/);
        await until("the edge's escrow", async () => {
          const { escrows } = await plant.call<{ escrows: { epoch: number }[] }>("vault", "GET", "/v1/escrows");
          return escrows.some(({ epoch }) => epoch === 2) || null;
        });
        const learned = await atTheVault(t, plant, ["vault", "recover-escrow"]);
        t.match(learned.out, /every account may be issued to again/);
        const before = await plant.reveal(agent.path);
        t.equal(await plant.ordered(await plant.order(agent.path)), "done");
        const current = await until("the vault to learn of it", async () => {
          const { version } = await plant.reveal(agent.path);
          return version === before.version ? null : version;
        });
        t.same(await accepted(plant, agent), [current], `exactly one password works: ${current}`);
      },
    );
  },
);
