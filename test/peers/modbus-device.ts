import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, PeerProcess } from "./peer-process.ts";
import type { Peer } from "./peer-suite.ts";

const source = join(import.meta.dirname, "modbus-device", "device.c");
const hasLibrary = findProgram("gcc") !== null && spawnSync("pkg-config", ["--exists", "libmodbus"]).status === 0;

export const modbusPeer: Peer = { name: "libmodbus", packages: "libmodbus-dev gcc pkg-config", installed: hasLibrary };

/** A fault for the next write to one register. */
export type ModbusFault = "drop" | "mute" | "lose" | `exception ${number}`;

/** An emulated meter in a process of its own, with its non-volatile memory in a file. */
export class ModbusDevice {
  readonly #folder: string;
  readonly #args: readonly string[];
  #process: PeerProcess;

  private constructor(folder: string, args: readonly string[], started: PeerProcess) {
    this.#folder = folder;
    this.#args = args;
    this.#process = started;
  }

  /** Starts a meter of `kind` that knows `password`; `tries` wrong ones lock it until a restart, 0 never does. */
  static async start(kind: "eastron" | "shark", password: number, tries = 0): Promise<ModbusDevice> {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-modbus-"));
    const state = join(folder, "eeprom");
    writeFileSync(state, `${password}\n`);
    const args = [kind, state, String(tries)];
    return new ModbusDevice(folder, args, await run(args));
  }

  /** Another one after each restart. */
  get port(): number {
    return Number(this.#process.greeting[2]);
  }

  /** The version of the library that the process states. */
  get version(): string {
    return this.#process.greeting[1] ?? "not stated";
  }

  /** The password that a restart would bring. */
  get storedPassword(): string {
    return readFileSync(join(this.#folder, "eeprom"), "utf8").trim();
  }

  /** Arms a fault. */
  fault(kind: ModbusFault, address: number): Promise<void> {
    const [name, code = ""] = kind.split(" ");
    return this.#process.tell(`${name} ${address.toString(16)} ${code}`);
  }

  /** Kills it and starts it again: a power cut. */
  async restart(): Promise<void> {
    await this.#process.stop("SIGKILL");
    this.#process = await run(this.#args);
  }

  async stop(): Promise<void> {
    await this.#process.stop("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<PeerProcess> {
  return PeerProcess.start({ program: compiled(), args, ready: /libmodbus (\S+) port (\d+)/ });
}

/** The program, built once for each version of its source. */
function compiled(): string {
  const digest = createHash("sha256").update(readFileSync(source)).digest("hex").slice(0, 16);
  const folder = join(tmpdir(), "tidegate-peers");
  const program = join(folder, `modbus-device-${digest}`);
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true });
    const flags = execFileSync("pkg-config", ["--cflags", "--libs", "libmodbus"], { encoding: "utf8" }).trim().split(/\s+/);
    const unfinished = `${program}.${process.pid}`;
    execFileSync("gcc", [
      "-std=c11",
      "-D_DEFAULT_SOURCE",
      "-O2",
      "-Wall",
      "-Wextra",
      "-Werror",
      "-o",
      unfinished,
      source,
      ...flags,
    ]);
    renameSync(unfinished, program);
  }
  return program;
}
