import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { deliverMeter } from "./modbus-server.ts";
import { ownModule, startProgram } from "./processes.ts";
import { findNetSnmp, judgeBySnmpget, programFolders, startSnmpAgent } from "./snmp-agent.ts";
import { type DemoSystem, zones } from "./system.ts";

/** One device of the demo with its account, and how somebody who is not Tidegate finds out whether a password works. */
export interface DemoDevice {
  /** `zone/device/account`. */
  readonly path: string;
  readonly title: string;
  readonly pid: number;
  /** The password that the device came with, as its secret fields. */
  readonly factory: Fields;
  /** Options of `device add`. */
  readonly add: readonly string[];
  /** Who judges, in words. */
  readonly judge: string;
  /** True where these fields log in, decided without Tidegate's adapters. */
  accepts(fields: Fields): Promise<boolean>;
}

export type Fields = Readonly<Record<string, string>>;

/** Net-SNMP's snmpd with one SNMPv3 user, judged by snmpget; null where `folders` have none. */
export async function startSwitch(
  system: DemoSystem,
  factory: Fields,
  folders: readonly string[] = programFolders(),
): Promise<DemoDevice | null> {
  const programs = findNetSnmp(folders);
  if (programs === null) return null;
  const name = "tidegate";
  const folder = system.folder("switch-1");
  const asUser = (fields: Fields) => ({
    name,
    authPassword: fields["authPassword"] ?? "",
    privPassword: fields["privPassword"] ?? "",
  });
  const agent = await startSnmpAgent({ program: programs.snmpd, folder, address: zones.segment, user: asUser(factory) });
  system.own({ ...agent.running, name: "switch-1" });
  return {
    path: `line-4/switch-1/${name}`,
    title: `SNMPv3 agent, Net-SNMP ${agent.version}`,
    pid: agent.running.pid,
    factory,
    add: ["--model", "net-snmp-agent", "--host", zones.segment, "--port", String(agent.port), "--account", name],
    judge: "Net-SNMP's snmpget",
    accepts: (fields) =>
      judgeBySnmpget({
        program: programs.snmpget,
        folder: join(system.root, "judge"),
        address: zones.segment,
        port: agent.port,
        user: asUser(fields),
      }),
  };
}

/** A Modbus TCP meter in a process of its own, judged by what stands in its non-volatile memory. */
export async function startMeterDevice(system: DemoSystem, factory: Fields): Promise<DemoDevice> {
  const folder = system.folder("meter-1");
  mkdirSync(folder, { mode: 0o700 });
  deliverMeter(folder, Number(factory["password"]));
  const running = await startProgram({
    name: "meter-1",
    command: process.execPath,
    args: [ownModule("modbus-device"), folder, "eastron-sdm"],
    ready: { file: join(folder, "device.json") },
  });
  system.own(running);
  const { port } = JSON.parse(system.read(join(folder, "device.json"))) as { port: number };
  return {
    path: "line-4/meter-1/setup",
    title: "Modbus TCP meter",
    pid: running.pid,
    factory,
    add: ["--model", "eastron-sdm", "--host", "127.0.0.1", "--port", String(port), "--account", "setup"],
    judge: "the meter's own memory",
    accepts: async (fields) => {
      const { password } = JSON.parse(system.read(join(folder, "eeprom.json"))) as { password: number };
      return password === Number(fields["password"]);
    },
  };
}
