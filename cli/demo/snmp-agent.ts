import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { accessSync, constants, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Running, startProgram } from "./processes.ts";

/** What installs a real SNMPv3 agent and its judge on Debian. */
export const snmpPackages = "snmpd snmp";

/** A user of the agent, both secrets included. */
export interface SnmpUser {
  readonly name: string;
  readonly authPassword: string;
  readonly privPassword: string;
}

/** Net-SNMP's snmpd on loopback with its files in a folder of its own. */
export interface SnmpAgent {
  readonly port: number;
  readonly version: string;
  readonly running: Running;
}

/** Where programs are looked for: PATH, and the folders of system programs that a user's PATH often lacks. */
export function programFolders(): string[] {
  return [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
}

/** Full paths of snmpd and snmpget, or null where one of them is not in these folders. */
export function findNetSnmp(folders: readonly string[]): { snmpd: string; snmpget: string } | null {
  const snmpd = findProgram("snmpd", folders);
  const snmpget = findProgram("snmpget", folders);
  return snmpd === null || snmpget === null ? null : { snmpd, snmpget };
}

/**
 * Starts an agent with one user (SHA-256, AES-128). It is started twice: a user made by `createUser` can change its own keys only
 * after the agent's first restart.
 */
export async function startSnmpAgent(options: {
  readonly program: string;
  readonly folder: string;
  readonly address: string;
  readonly user: SnmpUser;
}): Promise<SnmpAgent> {
  const { program, folder, address, user } = options;
  const persistent = join(folder, "persistent");
  const port = await freeUdpPort(address);
  mkdirSync(persistent, { recursive: true, mode: 0o700 });
  // 1.3.6.1.4.1.2021.100.13 is versionSavePersistentData: writing it saves the keys at once.
  const access = [`agentAddress udp:${address}:${port}`, `rwuser ${user.name} priv`, ""];
  writeFileSync(join(folder, "snmpd.conf"), access.join("\n"), { mode: 0o600 });
  const created = `createUser ${user.name} SHA-256 "${user.authPassword}" AES "${user.privPassword}"\n`;
  writeFileSync(join(persistent, "snmpd.conf"), created, { mode: 0o600 });
  // Never -C: it would skip the persistent file, and with it every changed key.
  const line = [program, "-f", "-Le", "-p", join(folder, "snmpd.pid")];
  // snmpd has no channel to us; where util-linux is, the kernel ends it with us, also where we are killed.
  const setpriv = findProgram("setpriv", programFolders());
  const [command = program, ...args] = setpriv === null ? line : [setpriv, "--pdeathsig", "KILL", ...line];
  const start = () =>
    startProgram({
      name: "snmpd",
      command,
      args,
      environment: { SNMPCONFPATH: `${folder}:${persistent}`, SNMP_PERSISTENT_DIR: persistent, MIBS: "" },
      ready: { says: /NET-SNMP version (\S+)/ },
    });
  await (await start()).stop();
  const running = await start();
  return { port, version: running.greeting, running };
}

/** True where Net-SNMP's own `snmpget` reads sysUpTime as `user`; the secrets go through a file that only we can read. */
export async function judgeBySnmpget(options: {
  readonly program: string;
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly user: SnmpUser;
}): Promise<boolean> {
  const { program, folder, address, port, user } = options;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const settings = [
    "defVersion 3",
    "defSecurityLevel authPriv",
    `defSecurityName ${user.name}`,
    "defAuthType SHA-256",
    "defPrivType AES",
    `defAuthPassphrase "${user.authPassword}"`,
    `defPrivPassphrase "${user.privPassword}"`,
    "",
  ];
  writeFileSync(join(folder, "snmp.conf"), settings.join("\n"), { mode: 0o600 });
  const env = { PATH: process.env["PATH"] ?? "", SNMPCONFPATH: folder, SNMP_PERSISTENT_DIR: folder, MIBS: "" };
  return new Promise((resolve) => {
    const args = ["-r", "1", "-t", "2", "-On", `${address}:${port}`, "1.3.6.1.2.1.1.3.0"];
    execFile(program, args, { env }, (error, stdout) => resolve(error === null && stdout.includes("Timeticks")));
  });
}

function findProgram(name: string, folders: readonly string[]): string | null {
  for (const folder of folders) {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {}
  }
  return null;
}

/** A UDP port that was free a moment ago. */
async function freeUdpPort(address: string): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, address, resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
