// Tampers with a log of 1,000 entries at every place and in every class, and lets 1,000 honest logs crash: `node scripts/audit-tamper.ts
// [--stride N] [--histories N]`. Exit code 1 where a tampering is not named as it must be, or an honest log is suspected.
import { parseArgs } from "node:util";
import { crashHistories } from "../test/agent/audit/crash-histories.ts";
import { tamperEverywhere } from "../test/protocol/audit/tamper-every-place.ts";

const { values } = parseArgs({
  options: { stride: { type: "string", default: "1" }, histories: { type: "string", default: "1000" } },
});
for (const [name, { tried, wrong }] of tamperEverywhere(Number(values.stride))) {
  console.log(`${name}: ${tried} tried, ${tried - wrong.length} rightly named`);
  for (const each of wrong.slice(0, 5)) console.log(`  ${each}`);
  if (wrong.length > 0) process.exitCode = 1;
}
const { histories, crashes, epochs, alarms } = crashHistories(Number(values.histories));
console.log(`honest: ${histories} histories with ${crashes} crashes and ${epochs} epochs, ${alarms.length} false alarms`);
for (const alarm of alarms.slice(0, 5)) console.log(`  ${alarm}`);
if (alarms.length > 0) process.exitCode = 1;
