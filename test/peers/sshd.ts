import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, PeerProcess } from "./peer-process.ts";
import type { Peer } from "./peer-suite.ts";

const program = findProgram("sshd");
const client = findProgram("ssh");
const isRoot = process.getuid?.() === 0;
const tools = ["useradd", "userdel", "chpasswd", "chage", "usermod", "ssh-keygen", "python3"];
const hasAll = program !== null && client !== null && tools.every((tool) => findProgram(tool) !== null);

/** Accounts of this machine are made and removed by the tests, which takes root. */
export const sshdPeer: Peer = {
  name: "sshd",
  packages: hasAll
    ? "openssh-server (it is there, but only root can make the accounts)"
    : "openssh-server openssh-client passwd",
  installed: hasAll && isRoot,
};

export interface SshdOptions {
  /** Lines for sshd_config, before Debian's own choices: the first one counts. */
  readonly config?: readonly string[];
  /** Types of host keys, strongest last where it matters; `ed25519` unless given. */
  readonly hostKeys?: readonly ("ed25519" | "rsa" | "ecdsa")[];
  readonly port?: number;
}

/** OpenSSH's server on a port of 127.0.0.1 with its files in a folder of its own, and with PAM as Debian has it. */
export class Sshd {
  readonly port: number;
  readonly #folder: string;
  readonly #process: PeerProcess;

  private constructor(folder: string, port: number, started: PeerProcess) {
    this.#folder = folder;
    this.port = port;
    this.#process = started;
  }

  static async start(options: SshdOptions = {}): Promise<Sshd> {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-sshd-"));
    // Where sshd's child is locked up before the login; Debian's service file makes it.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    const port = options.port ?? (await freePort());
    const keys = (options.hostKeys ?? ["ed25519"]).map((type) => {
      const file = join(folder, `host_${type}`);
      execFileSync("ssh-keygen", ["-q", "-t", type, "-N", "", "-f", file]);
      return file;
    });
    const lines = [
      ...(options.config ?? []),
      "ListenAddress 127.0.0.1",
      `Port ${port}`,
      ...keys.map((file) => `HostKey ${file}`),
      "PidFile none",
      "UsePAM yes",
      "KbdInteractiveAuthentication no",
      "LogLevel VERBOSE",
      "",
    ];
    const config = join(folder, "sshd_config");
    writeFileSync(config, lines.join("\n"), { mode: 0o600 });
    const args = ["-D", "-e", "-f", config];
    try {
      const started = await PeerProcess.start({ program: program ?? "sshd", args, ready: /Server listening on/ });
      return new Sshd(folder, port, started);
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** As the program states it. */
  static version(): string {
    return /OpenSSH_\S+/.exec(String(spawnSync(program ?? "sshd", ["-V"]).stderr))?.[0]?.replace(/,$/, "") ?? "not stated";
  }

  /** What the server has logged. */
  get log(): string {
    return this.#process.output;
  }

  /** `SHA256:…` of a host key, as OpenSSH's own tool prints it. */
  fingerprint(type: "ed25519" | "rsa" | "ecdsa" = "ed25519"): string {
    const text = execFileSync("ssh-keygen", ["-lf", join(this.#folder, `host_${type}.pub`)], { encoding: "utf8" });
    return text.split(" ")[1] ?? "";
  }

  /** True where a session runs `command`. */
  runs(command: string): boolean {
    const inside = descendantsOf(this.#process.pid);
    return processes().some((each) => each.command === command && inside.includes(each.pid));
  }

  /** Kills every session's processes by their ids; the server stays. */
  killSessions(): void {
    for (const pid of descendantsOf(this.#process.pid)) kill(pid);
  }

  /** Waits until no session of this server is at work, nor a change of `account` that outlived its own. */
  async quiet(account: UnixAccount): Promise<void> {
    for (let look = 0; look < 400; look += 1) {
      const changes = processes().some(({ pid, command }) => command === "chpasswd" || ownerOf(pid) === account.uid);
      if (!changes && descendantsOf(this.#process.pid).length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error("a session does not end");
  }

  /** True where OpenSSH's own client logs in and runs a command; the password goes by its askpass program. */
  async lets(user: string, password: string): Promise<boolean> {
    const askpass = join(this.#folder, "askpass");
    writeFileSync(askpass, '#!/bin/sh\ncat "$TIDEGATE_TEST_PASSWORD_FILE"\n', { mode: 0o700 });
    const file = join(this.#folder, "password");
    writeFileSync(file, `${password}\n`, { mode: 0o600 });
    const options = [
      "StrictHostKeyChecking=no",
      "UserKnownHostsFile=/dev/null",
      "NumberOfPasswordPrompts=1",
      "PubkeyAuthentication=no",
    ];
    const args = [...options.flatMap((option) => ["-o", option]), "-p", String(this.port), `${user}@127.0.0.1`, "true"];
    const env = {
      ...process.env,
      SSH_ASKPASS: askpass,
      SSH_ASKPASS_REQUIRE: "force",
      TIDEGATE_TEST_PASSWORD_FILE: file,
      DISPLAY: ":0",
    };
    const child = spawn(client ?? "ssh", args, { env, stdio: "ignore" });
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return code === 0;
  }

  async stop(): Promise<void> {
    this.killSessions();
    await this.#process.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

let made = 0;
const present = new Set<string>();
// A test that dies leaves no account behind. -f, as one with user id 0 is always in use.
process.once("exit", () => {
  for (const name of present) spawnSync("userdel", ["-f", name]);
});

/** An account of this machine for one test. */
export class UnixAccount {
  readonly name: string;
  readonly uid: string;

  /** Makes it with a name that nobody has; `admin` gives it user id 0. */
  constructor(password: string, options: { readonly admin?: boolean } = {}) {
    made += 1;
    this.name = `tg${process.pid}x${made}`;
    const who = options.admin === true ? ["-o", "-u", "0", "-g", "0"] : ["-N", "-g", "nogroup"];
    execFileSync("useradd", ["-M", "-d", "/", "-s", "/bin/sh", ...who, this.name], { stdio: "ignore" });
    present.add(this.name);
    this.uid = execFileSync("id", ["-u", this.name], { encoding: "utf8" }).trim();
    this.set(password);
  }

  /** Sets its password behind everybody's back. */
  set(password: string): void {
    execFileSync("chpasswd", [], { input: `${this.name}:${password}\n` });
  }

  /** Which of `passwords` the machine's own store holds for it: the truth that every outcome is judged by. */
  live(passwords: readonly string[]): string[] {
    const script =
      "import crypt,json,spwd,sys,warnings\nr=json.load(sys.stdin)\nh=spwd.getspnam(r['n']).sp_pwdp\nprint(json.dumps([p for p in r['p'] if crypt.crypt(p,h)==h]))";
    const input = JSON.stringify({ n: this.name, p: passwords });
    return JSON.parse(execFileSync("python3", ["-W", "ignore", "-c", script], { input, encoding: "utf8" })) as string[];
  }

  /** Makes every login change the password first. */
  expirePassword(): void {
    execFileSync("chage", ["-d", "0", this.name]);
  }

  /** Ends the account as such. */
  expireAccount(): void {
    execFileSync("chage", ["-E", "0", this.name]);
  }

  lock(): void {
    execFileSync("usermod", ["-L", this.name]);
  }

  remove(): void {
    if (present.delete(this.name)) spawnSync("userdel", ["-f", this.name]);
  }
}

interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

function processes(): ProcessFacts[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const match = /^(\d+) \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${name}/stat`, "utf8"));
      return match === null || match[3] === "Z"
        ? []
        : [{ pid: Number(match[1]), parent: Number(match[4]), command: match[2] ?? "" }];
    } catch {
      // It ended meanwhile.
      return [];
    }
  });
}

/** The real user id of a process: passwd(1) runs as root for whoever started it. */
function ownerOf(pid: number): string | null {
  try {
    return /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}

function descendantsOf(root: number): number[] {
  const all = processes();
  const found: number[] = [];
  for (let parents = [root]; parents.length > 0; ) {
    parents = all.filter(({ parent }) => parents.includes(parent)).map(({ pid }) => pid);
    found.push(...parents);
  }
  return found;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}
