import { existsSync } from "node:fs";
import t from "tap";
import { runDemo } from "./built.ts";
import { isAlive } from "./processes.ts";

t.setTimeout(240_000);

t.test("without snmpd the demo says first and last what was not run, and proves the rest", async (t) => {
  const lines: string[] = [];
  const stream = { write: (text: string) => lines.push(...text.trimEnd().split("\n")) };
  const told = await runDemo({ keep: false, stream, version: "test", programFolders: ["/nonexistent"] });
  t.same(told.devices, ["line-4/meter-1/setup"]);
  t.equal(told.steps, 10);
  const notRun = /SNMPv3 part was NOT RUN.*apt-get install snmpd snmp/;
  t.match(lines.slice(0, 2).join("\n"), notRun, "before the first step");
  t.match(lines.at(-1), notRun, "in the last line");
  const folder = /in (\S*tidegate-demo-\S+)/.exec(lines[0] ?? "")?.[1] ?? "";
  t.ok(folder !== "" && !existsSync(folder), "without --keep nothing stays");
  for (const [, pid] of lines.join("\n").matchAll(/pid (\d+)/g)) t.notOk(isAlive(Number(pid)), `process ${pid} is gone`);
});
