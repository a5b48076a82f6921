// Cuts the exchanges of every adapter with its real device server after byte or datagram k, and prints how each ended.
//   npm run cutter                      every byte (modbus), every datagram (snmp); ssh at the ends of packets, ±1, and every 500th
//   npm run cutter -- --stride 1        ssh at every byte: hours
//   npm run cutter -- --only ssh        one adapter
import { parseArgs } from "node:util";
import { plantedBugs, wrongClass } from "../test/cutter/judge.ts";
import { modbusExchanges } from "../test/cutter/modbus-exchanges.ts";
import { type CutResult, cutterTable, runCuts } from "../test/cutter/run-cuts.ts";
import { snmpExchanges } from "../test/cutter/snmp-exchanges.ts";
import { sshPlant } from "../test/cutter/ssh-exchanges.ts";
import { modbusPeer } from "../test/peers/modbus-device.ts";
import { snmpdPeer } from "../test/peers/snmpd.ts";
import { sshdPeer } from "../test/peers/sshd.ts";

const { values } = parseArgs({ options: { only: { type: "string" }, stride: { type: "string", default: "500" } } });
const plants = {
  modbus: { peer: modbusPeer, open: async () => ({ exchanges: modbusExchanges(), close: async () => {} }) },
  snmp: { peer: snmpdPeer, open: async () => ({ exchanges: snmpExchanges(), close: async () => {} }) },
  ssh: { peer: sshdPeer, open: () => sshPlant({ stride: Number(values.stride), around: 1 }) },
};
// So that servers and accounts go with it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

const results: CutResult[] = [];
for (const [name, { peer, open }] of Object.entries(plants)) {
  if (values.only !== undefined && values.only !== name) continue;
  if (!peer.installed) {
    console.log(`${name}: not run, ${peer.name} is missing: ${peer.packages}`);
    process.exitCode = 1;
    continue;
  }
  const plant = await open();
  try {
    for (const exchange of plant.exchanges) {
      process.stderr.write(`cutting ${exchange.adapter} ${exchange.name} …\n`);
      results.push(await runCuts(exchange));
    }
  } finally {
    await plant.close();
  }
}

console.log(cutterTable(results));
console.log("\nplanted bug                                 wrong classes that the cuts find");
for (const [bug, plant] of Object.entries(plantedBugs)) {
  const found = results
    .filter(({ exchange }) => exchange.name.startsWith("push"))
    .map(({ exchange, observations }) => {
      const wrong = observations.filter(({ outcome, truth }) => wrongClass(plant(outcome), truth) !== null).length;
      if (wrong === 0) process.exitCode = 1;
      return `${exchange.adapter} ${exchange.name} ${wrong}`;
    });
  console.log(`${bug.padEnd(43)} ${found.join(", ")}`);
}
const wrong = results.flatMap(({ exchange, observations }) =>
  observations.filter((each) => each.wrong !== null).map((each) => ({ exchange, ...each })),
);
for (const { exchange, cut, outcome, wrong: why } of wrong)
  console.log(
    `WRONG ${exchange.adapter} ${exchange.name}, ${cut.how} after ${cut.direction} ${cut.after}: ${why} (${outcome.code})`,
  );
if (wrong.length > 0 || results.length === 0) process.exitCode = 1;
