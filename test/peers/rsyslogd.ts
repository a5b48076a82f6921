import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CollectorAuthority } from "../support/collector-certificates.ts";
import { findProgram } from "./peer-process.ts";
import type { Peer } from "./peer-suite.ts";

const program = findProgram("rsyslogd");
const modules = ["/usr/lib/x86_64-linux-gnu/rsyslog", "/usr/lib/aarch64-linux-gnu/rsyslog", "/usr/lib/rsyslog"];

export const rsyslogPeer: Peer = {
  name: "rsyslogd",
  packages: "rsyslog rsyslog-gnutls",
  installed: program !== null && modules.some((folder) => existsSync(join(folder, "lmnsd_gtls.so"))),
};

/** A message as rsyslog's own parser took it apart. */
export interface Received {
  readonly pri: string;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly procid: string;
  readonly msgid: string;
  readonly msg: string;
  /** Structured data as it stood in the message. */
  readonly data: string;
  /** The same, taken apart by rsyslog: JSON, names in lower case. */
  readonly parsed: string;
}

/** rsyslogd with TLS (GnuTLS) on a free port of 127.0.0.1, its files in a folder of its own; ended by its process id. */
export class Rsyslogd {
  readonly folder = mkdtempSync(join(tmpdir(), "tidegate-rsyslogd-"));
  readonly authority = new CollectorAuthority(this.folder);
  readonly #clients: "anyone" | "certified";
  #child: ChildProcess | null = null;
  #exited: Promise<void> = Promise.resolve();
  port = 0;

  /** `certified` asks for a client certificate of the same authority. */
  constructor(clients: "anyone" | "certified" = "anyone") {
    this.#clients = clients;
    this.authority.issue("collector", ["localhost"]);
  }

  static version(): string {
    return /rsyslogd\s+(\S+)/.exec(String(spawnSync(program ?? "rsyslogd", ["-v"]).stdout))?.[1] ?? "not stated";
  }

  /** Starts it, again on the same port where it ran before. */
  async start(): Promise<void> {
    const config = join(this.folder, "rsyslog.conf");
    const portFile = join(this.folder, "port");
    rmSync(portFile, { force: true });
    writeFileSync(config, this.#config(portFile));
    const args = ["-n", "-f", config, "-i", join(this.folder, "pid")];
    const child = spawn(program ?? "rsyslogd", args, { stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    let gone = false;
    this.#exited = new Promise((resolve) =>
      child.once("close", () => {
        gone = true;
        process.off("exit", end);
        resolve();
      }),
    );
    this.#child = child;
    do {
      if (gone) throw new Error(`rsyslogd ended: ${said}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      // It writes the file only for a port that it chose.
      if (this.port === 0 && existsSync(portFile)) this.port = Number(readFileSync(portFile, "utf8").trim());
    } while (this.port === 0 || !(await answers(this.port)));
  }

  /** Everything that it has written so far. */
  received(): Received[] {
    const file = join(this.folder, "received.log");
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, "utf8").split("\n");
    return lines.filter((line) => line.endsWith("}")).map((line) => JSON.parse(line) as Received);
  }

  async until(done: (received: readonly Received[]) => boolean): Promise<Received[]> {
    for (;;) {
      const received = this.received();
      if (done(received)) return received;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sends a signal and does not wait. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#child?.kill(signal);
    await this.#exited;
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }

  #config(portFile: string): string {
    const mode = this.#clients === "anyone" ? "anon" : "x509/certvalid";
    return `global(workDirectory="${this.folder}" maxMessageSize="16k" defaultNetstreamDriver="gtls"
  defaultNetstreamDriverCAFile="${this.authority.file}"
  defaultNetstreamDriverCertFile="${join(this.folder, "collector.crt")}"
  defaultNetstreamDriverKeyFile="${join(this.folder, "collector.key")}")
module(load="imtcp" StreamDriver.Name="gtls" StreamDriver.Mode="1" StreamDriver.AuthMode="${mode}")
module(load="mmpstrucdata")
template(name="taken" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="procid" name="procid" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="msg" name="msg" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="parsed" name="$!rfc5424-sd" format="jsonf")
}
ruleset(name="in") {
  action(type="mmpstrucdata")
  action(type="omfile" file="${join(this.folder, "received.log")}" template="taken" asyncWriting="off")
}
input(type="imtcp" address="127.0.0.1" port="${this.port}" listenPortFileName="${portFile}" ruleset="in")
`;
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port });
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
