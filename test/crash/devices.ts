import { connect } from "node:net";
import { builtinModelText } from "../../firmware-adapters/index.ts";
import { ModbusDevice, modbusPeer } from "../peers/modbus-device.ts";
import type { Peer } from "../peers/peer-suite.ts";
import { Snmpd, type SnmpUser, snmpdPeer, snmpgetWorks } from "../peers/snmpd.ts";
import { Sshd, sshdPeer, UnixAccount } from "../peers/sshd.ts";

export const adapters = ["snmp", "ssh", "modbus"] as const;
export type AdapterKind = (typeof adapters)[number];

/** The server that each adapter is run against. */
export const peers: Readonly<Record<AdapterKind, Peer>> = { snmp: snmpdPeer, ssh: sshdPeer, modbus: modbusPeer };

export type Fields = Readonly<Record<string, string>>;

/** A real server with one account, and what somebody who is not Tidegate finds out about it. */
export interface CrashDevice {
  /** The server, as it states itself. */
  readonly title: string;
  /** Who judges, in words. */
  readonly judge: string;
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly model: string;
  /** What the account came with. */
  readonly factory: Fields;
  /** Those that the device takes for right, decided without Tidegate's adapters. */
  accepted(all: readonly Fields[]): Promise<readonly Fields[]>;
  /** True where a whole login with them works: right, and not locked out. */
  lets(fields: Fields): Promise<boolean>;
  stop(): Promise<void>;
}

/** Starts the server of one adapter. The published model where it fits: only waits of which a server on this machine needs none are shorter. */
export function startDevice(adapter: AdapterKind): Promise<CrashDevice> {
  return { snmp: startSnmp, ssh: startSsh, modbus: startModbus }[adapter]();
}

/** Wrong passwords in a row after which the meter takes none any more; the other two servers take any number. */
const tries = 12;

/** The published model, but for a lockout that is known and soon over, and for a change that lands late by a second at most. */
function patient(name: string): string {
  return builtinModelText(name as "eastron-sdm")
    .replace(/^name: (.*)$/m, "name: patient-$1")
    .replace(/^lockout: .*$/m, `lockout: { tries: ${tries}, windowS: 2, durationS: 2, scope: account }`)
    .replace(/^settleMs: .*$/m, "settleMs: 1000");
}

async function startSnmp(): Promise<CrashDevice> {
  const factory = { authPassword: "Factory-auth-2345", privPassword: "Factory-priv-2345" };
  const asUser = (fields: Fields): SnmpUser => ({
    name: "tidegate",
    authProtocol: "SHA-256",
    privProtocol: "AES-128",
    authPassword: fields["authPassword"] ?? "",
    privPassword: fields["privPassword"] ?? "",
  });
  const agent = await Snmpd.start({ users: [asUser(factory)] });
  const lets = (fields: Fields) => snmpgetWorks(agent.port, asUser(fields));
  return {
    title: `Net-SNMP ${agent.version}`,
    judge: "snmpget",
    host: "127.0.0.1",
    port: agent.port,
    username: "tidegate",
    model: patient("net-snmp-agent"),
    factory,
    accepted: (all) => filterAsync(all, lets),
    lets,
    stop: () => agent.stop(),
  };
}

async function startSsh(): Promise<CrashDevice> {
  const password = "Factory-password-23456";
  const server = await Sshd.start();
  const account = new UnixAccount(password);
  return {
    title: Sshd.version(),
    judge: "the shadow file and OpenSSH's ssh",
    host: "127.0.0.1",
    port: server.port,
    username: account.name,
    model: patient("openssh-passwd"),
    factory: { password },
    // One wrong login takes sshd two seconds: of many values its own store is asked.
    accepted: async (all) => {
      await server.quiet(account);
      const live = account.live(all.map((fields) => fields["password"] ?? ""));
      return all.filter((fields) => live.includes(fields["password"] ?? ""));
    },
    lets: (fields) => server.lets(account.name, fields["password"] ?? ""),
    async stop() {
      await server.stop();
      account.remove();
    },
  };
}

async function startModbus(): Promise<CrashDevice> {
  const meter = await ModbusDevice.start("eastron", 4321, tries);
  return {
    title: `meter on libmodbus ${meter.version}`,
    judge: "the meter's own memory and a raw login",
    host: "127.0.0.1",
    port: meter.port,
    username: "setup",
    model: patient("eastron-sdm"),
    factory: { password: "4321" },
    accepted: async (all) => all.filter((fields) => Number(fields["password"]) === Number(meter.storedPassword)),
    lets: (fields) => meterLets(meter.port, Number(fields["password"])),
    stop: () => meter.stop(),
  };
}

/** Writes the password to the meter's authorisation register and reads back whether it was granted; two Modbus frames, by hand. */
function meterLets(port: number, password: number): Promise<boolean> {
  const write = Buffer.from("00010000000b01100" + "00e000204" + "00000000", "hex");
  write.writeFloatBE(password, write.length - 4);
  const read = Buffer.from("000200000006" + "0103000e0002", "hex");
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    const socket = connect(port, "127.0.0.1", () => socket.write(write));
    const finish = (granted: boolean): void => {
      socket.destroy();
      resolve(granted);
    };
    socket.setTimeout(5_000, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("data", (chunk) => {
      const asked = answer.length >= 12;
      answer = Buffer.concat([answer, chunk]);
      if (!asked && answer.length >= 12) socket.write(read);
      if (answer.length >= 12 + 13) finish(answer.readFloatBE(12 + 9) === 1);
    });
  });
}

async function filterAsync<T>(all: readonly T[], keep: (each: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(all.map(keep));
  return all.filter((_, i) => kept[i]);
}
