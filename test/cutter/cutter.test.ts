import t, { type Test } from "tap";
import { modbusPeer } from "../peers/modbus-device.ts";
import { peerSuite } from "../peers/peer-suite.ts";
import { snmpdPeer } from "../peers/snmpd.ts";
import { Sshd, sshdPeer } from "../peers/sshd.ts";
import { plantedBugs, wrongClass } from "./judge.ts";
import { modbusExchanges } from "./modbus-exchanges.ts";
import { type CutExchange, type CutResult, cutterTable, endsAndStride, runCuts } from "./run-cuts.ts";
import { snmpExchanges } from "./snmp-exchanges.ts";
import { sshPlant } from "./ssh-exchanges.ts";

const results: CutResult[] = [];

/** The part that every run of the tests can bear: `npm run cutter` does the whole. */
function inBrief(exchange: CutExchange): CutExchange {
  if (exchange.unit === "datagram") return exchange;
  const [how = "end"] = exchange.hows;
  return { ...exchange, hows: [how], sample: (ends, each) => exchange.sample?.(ends, each) ?? endsAndStride(16)(ends) };
}

async function neverWrong(t: Test, exchange: CutExchange): Promise<void> {
  const result = await runCuts(inBrief(exchange));
  results.push(result);
  t.ok(result.observations.length > 4, `${result.observations.length} cuts`);
  t.same(
    result.observations
      .filter(({ wrong }) => wrong !== null)
      .map(({ cut, outcome, wrong }) => ({ cut, code: outcome.code, wrong })),
    [],
  );
}

await peerSuite(t, modbusPeer, async (suite) => {
  for (const exchange of modbusExchanges().filter(({ name }) => name === "push")) {
    await suite.test(`${exchange.adapter} ${exchange.name}: wherever it is cut, its class is right`, (t) =>
      neverWrong(t, exchange),
    );
  }
});

await peerSuite(t, snmpdPeer, async (suite) => {
  for (const exchange of snmpExchanges().filter(({ name }) => name !== "prepare" && name !== "save")) {
    await suite.test(`${exchange.adapter} ${exchange.name}: wherever it is cut, its class is right`, (t) =>
      neverWrong(t, exchange),
    );
  }
});

await peerSuite(t, sshdPeer, async (suite) => {
  suite.stated(Sshd.version());
  const plant = await sshPlant({ stride: Number.POSITIVE_INFINITY, around: 0 });
  t.teardown(() => plant.close());
  for (const exchange of plant.exchanges.filter(({ name }) => name === "push")) {
    await suite.test(`${exchange.adapter} ${exchange.name}: wherever it is cut, its class is right`, (t) =>
      neverWrong(t, exchange),
    );
  }
});

t.test("each planted bug is caught in every adapter that changes something", async (t) => {
  for (const { exchange, observations } of results.filter((result) => result.exchange.name.startsWith("push"))) {
    for (const [bug, plant] of Object.entries(plantedBugs)) {
      const wrong = observations.filter(({ outcome, truth }) => wrongClass(plant(outcome), truth) !== null).length;
      t.ok(wrong > 0, `${exchange.adapter} ${exchange.name}: ${bug}: ${wrong} of ${observations.length} cuts`);
    }
  }
  for (const line of results.length === 0 ? [] : cutterTable(results).split("\n")) t.comment(line);
});
