import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, PeerProcess } from "./peer-process.ts";
import type { Peer } from "./peer-suite.ts";

const program = findProgram("snmpd");
const getProgram = findProgram("snmpget");

export const snmpdPeer: Peer = {
  name: "snmpd",
  packages: "snmpd snmp",
  installed: program !== null && getProgram !== null,
};

/** A user of the agent, in the words of a device's settings. */
export interface SnmpUser {
  readonly name: string;
  readonly authProtocol: string;
  readonly privProtocol: string;
  readonly authPassword: string;
  readonly privPassword: string;
}

export interface SnmpdOptions {
  readonly users: readonly SnmpUser[];
  /** Hexadecimal engine id; the agent makes one up where it is left out. */
  readonly engineId?: string;
  /** A fixed port, for an agent that takes another one's place. */
  readonly port?: number;
  /** Lines for snmpd.conf instead of full access for each user. */
  readonly access?: readonly string[];
  /** The command in front of the agent's own: `ip netns exec ZONE`. */
  readonly within?: readonly string[];
}

/** Net-SNMP's agent on a port of 127.0.0.1 with its files in a folder of its own. */
export class Snmpd {
  readonly port: number;
  readonly #folder: string;
  readonly #within: readonly string[];
  #process: PeerProcess;

  private constructor(
    folder: string,
    { port, within = [] }: { port: number; within?: readonly string[] },
    started: PeerProcess,
  ) {
    this.#folder = folder;
    this.#within = within;
    this.port = port;
    this.#process = started;
  }

  /**
   * Starts an agent whose users can change their keys: a user made by createUser can do so only after the agent's first
   * restart, which is why it is started twice.
   */
  static async start(options: SnmpdOptions): Promise<Snmpd> {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-snmpd-"));
    const port = options.port ?? (await freeUdpPort());
    mkdirSync(join(folder, "persistent"), { mode: 0o700 });
    const access = options.access ?? options.users.map((user) => `rwuser ${user.name} priv`);
    const engine = options.engineId === undefined ? [] : [`exactEngineID 0x${options.engineId}`];
    writeFileSync(join(folder, "snmpd.conf"), [`agentAddress udp:127.0.0.1:${port}`, ...engine, ...access, ""].join("\n"), {
      mode: 0o600,
    });
    const users = options.users.map(createUser);
    writeFileSync(join(folder, "persistent", "snmpd.conf"), `${users.join("\n")}\n`, { mode: 0o600 });
    const { within = [] } = options;
    const agent = new Snmpd(folder, { port, within }, await run(folder, within));
    await agent.restart("SIGTERM");
    return agent;
  }

  /** Ends the agent, by SIGTERM so that it saves or by SIGKILL so that it cannot, and starts it again. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#process.stop(signal);
    this.#process = await run(this.#folder, this.#within);
  }

  /** Gives its users other keys behind everybody's back, as a restored configuration does. */
  async setUsers(users: readonly SnmpUser[]): Promise<void> {
    await this.#process.stop("SIGTERM");
    const file = join(this.#folder, "persistent", "snmpd.conf");
    const kept = readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => !/^(usmUser|createUser) /.test(line));
    writeFileSync(file, [...kept, ...users.map(createUser), ""].join("\n"), { mode: 0o600 });
    this.#process = await run(this.#folder, this.#within);
    await this.restart("SIGTERM");
  }

  /** The version that the agent printed when it started. */
  get version(): string {
    return this.#process.greeting[1] ?? "not stated";
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(folder: string, within: readonly string[]): Promise<PeerProcess> {
  const [first = "snmpd", ...words] = [...within, program ?? "snmpd"];
  return PeerProcess.start({
    program: first,
    // Never -C: it would skip the persistent file, and with it every changed key.
    args: [...words, "-f", "-Le", "-p", join(folder, "snmpd.pid")],
    env: { SNMPCONFPATH: `${folder}:${join(folder, "persistent")}`, SNMP_PERSISTENT_DIR: join(folder, "persistent"), MIBS: "" },
    ready: /NET-SNMP version (\S+)/,
  });
}

/** True where Net-SNMP's own tool reads sysUpTime as `user`, with the secrets in a file that only we can read. */
export async function snmpgetWorks(port: number, user: SnmpUser, within: readonly string[] = []): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-snmpget-"));
  const lines = [
    "defVersion 3",
    "defSecurityLevel authPriv",
    `defSecurityName ${user.name}`,
    `defAuthType ${authType(user.authProtocol)}`,
    `defPrivType ${privType(user.privProtocol)}`,
    `defAuthPassphrase "${user.authPassword}"`,
    `defPrivPassphrase "${user.privPassword}"`,
    "",
  ];
  writeFileSync(join(folder, "snmp.conf"), lines.join("\n"), { mode: 0o600 });
  const env = { ...process.env, SNMPCONFPATH: folder, SNMP_PERSISTENT_DIR: folder, MIBS: "" };
  try {
    return await new Promise((resolve) => {
      const args = ["-r", "0", "-t", "1", "-On", `127.0.0.1:${port}`, "1.3.6.1.2.1.1.3.0"];
      const [first = "snmpget", ...words] = [...within, getProgram ?? "snmpget"];
      execFile(first, [...words, ...args], { env }, (error, stdout) => resolve(error === null && stdout.includes("Timeticks")));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function createUser(user: SnmpUser): string {
  const { authProtocol, privProtocol, authPassword, privPassword } = user;
  return `createUser ${user.name} ${authType(authProtocol)} "${authPassword}" ${privType(privProtocol)} "${privPassword}"`;
}

function authType(protocol: string): string {
  return protocol === "SHA-1" ? "SHA" : protocol;
}

function privType(protocol: string): string {
  return protocol === "AES-128" ? "AES" : protocol;
}

/** A UDP port that was free a moment ago. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
  return port;
}
