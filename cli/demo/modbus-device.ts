// One meter of the demo in a process of its own: modbus-device FOLDER KIND. It writes FOLDER/device.json {pid, port} when
// it is ready, and ends with SIGTERM or with the channel to the process that started it.
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { meterKinds } from "./modbus-meter.ts";
import { startMeter } from "./modbus-server.ts";

const [folder, kindName] = process.argv.slice(2);
const kind = meterKinds.find((known) => known === kindName);
if (folder === undefined || kind === undefined) {
  process.stderr.write(`usage: modbus-device FOLDER ${meterKinds.join("|")}\n`);
  process.exit(2);
}

const server = await startMeter(folder, kind);
const unfinished = join(folder, "device.json.new");
writeFileSync(unfinished, JSON.stringify({ pid: process.pid, port: server.port }));
renameSync(unfinished, join(folder, "device.json"));

const end = () => void server.close().then(() => process.exit(0));
process.once("SIGTERM", end);
process.once("disconnect", end);
