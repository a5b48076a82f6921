import { builtinModelText } from "../../firmware-adapters/index.ts";
import { ModbusDevice, modbusPeer } from "../peers/modbus-device.ts";
import type { Peer } from "../peers/peer-suite.ts";
import { Snmpd, type SnmpUser, snmpdPeer, snmpgetWorks } from "../peers/snmpd.ts";
import { Sshd, sshdPeer, UnixAccount } from "../peers/sshd.ts";
import { illegalValue, meterLets, meterSays, passwordRegister, programming, writeFloat } from "./meter-frames.ts";

/** `ssh` changes its own password, that of `ssh-admin` is set by an admin account of the same device; `snmp` has one that may make it anew. */
export const adapters = ["snmp", "ssh", "ssh-admin", "modbus"] as const;
export type AdapterKind = (typeof adapters)[number];

/** The server that each adapter is run against. */
export const peers: Readonly<Record<AdapterKind, Peer>> = {
  snmp: snmpdPeer,
  ssh: sshdPeer,
  "ssh-admin": sshdPeer,
  modbus: modbusPeer,
};

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
  /** Another account of the device that makes the changes, or may do so where nobody knows the password; null where there is none. */
  readonly admin: { readonly username: string; readonly fields: Fields } | null;
  /** What the account came with. */
  readonly factory: Fields;
  /** Those that the device takes for right, decided without Tidegate's adapters. */
  accepted(all: readonly Fields[]): Promise<readonly Fields[]>;
  /** True where a whole login with them works: right, and not locked out. */
  lets(fields: Fields): Promise<boolean>;
  /** A person gives the account this password at the device itself; `present` is the one that works. */
  set(fields: Fields, present: Fields): Promise<void>;
  /** Fields that neither vault nor edge has ever seen and the model allows; others for each `nth`. */
  foreign(nth: number): Fields;
  /** Has the device refuse the next new value; null where it takes every value that its model allows. */
  readonly refuseNext: (() => Promise<void>) | null;
  stop(): Promise<void>;
}

/** Starts the server of one adapter. The published model where it fits: only waits of which a server on this machine needs none are shorter. */
export function startDevice(adapter: AdapterKind): Promise<CrashDevice> {
  switch (adapter) {
    case "snmp":
      return startSnmp();
    case "ssh":
      return startSsh();
    case "ssh-admin":
      return startSshByAdmin();
    case "modbus":
      return startModbus();
  }
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
  const admins = { authPassword: "Admins-auth-23456", privPassword: "Admins-priv-23456" };
  const asUser = (fields: Fields, name = "tidegate"): SnmpUser => ({
    name,
    authProtocol: "SHA-256",
    privProtocol: "AES-128",
    authPassword: fields["authPassword"] ?? "",
    privPassword: fields["privPassword"] ?? "",
  });
  const admin = asUser(admins, "admin");
  const agent = await Snmpd.start({ users: [asUser(factory), admin] });
  const lets = (fields: Fields) => snmpgetWorks(agent.port, asUser(fields));
  return {
    title: `Net-SNMP ${agent.version}`,
    judge: "snmpget",
    host: "127.0.0.1",
    port: agent.port,
    username: "tidegate",
    model: patient("net-snmp-agent"),
    admin: { username: admin.name, fields: admins },
    factory,
    accepted: (all) => filterAsync(all, lets),
    lets,
    set: (fields) => agent.setUsers([asUser(fields), admin]),
    foreign: (nth) => ({ authPassword: `Foreign-auth-${100_000 + nth}`, privPassword: `Foreign-priv-${100_000 + nth}` }),
    refuseNext: null,
    stop: () => agent.stop(),
  };
}

async function startSsh(): Promise<CrashDevice> {
  const password = "Factory-password-23456";
  // PAM would wait two seconds after each wrong password; passwd itself goes on asking it.
  const server = await Sshd.start({ config: ["PermitRootLogin yes", "UsePAM no"] });
  const account = new UnixAccount(password);
  return {
    title: Sshd.version(),
    judge: "the shadow file and OpenSSH's ssh",
    host: "127.0.0.1",
    port: server.port,
    username: account.name,
    model: patient("openssh-passwd"),
    admin: null,
    factory: { password },
    accepted: async (all) => {
      await server.quiet(account);
      const live = account.live(all.map((fields) => fields["password"] ?? ""));
      return all.filter((fields) => live.includes(fields["password"] ?? ""));
    },
    lets: (fields) => server.lets(account.name, fields["password"] ?? ""),
    async set(fields) {
      await server.quiet(account);
      account.set(fields["password"] ?? "");
    },
    foreign: (nth) => ({ password: `Foreign-password-${100_000 + nth}` }),
    refuseNext: null,
    async stop() {
      await server.stop();
      account.remove();
    },
  };
}

async function startSshByAdmin(): Promise<CrashDevice> {
  const device = await startSsh();
  const password = "Admins-password-234567";
  const admin = new UnixAccount(password, { admin: true });
  return {
    ...device,
    model: patient("openssh-chpasswd"),
    admin: { username: admin.name, fields: { password } },
    async stop() {
      await device.stop();
      admin.remove();
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
    admin: null,
    factory: { password: "4321" },
    accepted: async (all) => all.filter((fields) => Number(fields["password"]) === Number(meter.storedPassword)),
    lets: (fields) => meterLets(meter.port, Number(fields["password"])),
    async set(fields, present) {
      const set = [
        writeFloat(programming, Number(present["password"])),
        writeFloat(passwordRegister, Number(fields["password"])),
      ];
      if ((await meterSays(meter.port, set)).length !== 2) throw new Error("the meter does not answer");
    },
    foreign: (nth) => ({ password: String(5_000 + (nth % 4_000)) }),
    refuseNext: () => meter.fault(`exception ${illegalValue}`, passwordRegister),
    stop: () => meter.stop(),
  };
}

async function filterAsync<T>(all: readonly T[], keep: (each: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(all.map(keep));
  return all.filter((_, i) => kept[i]);
}
