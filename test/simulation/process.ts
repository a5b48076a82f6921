import type { Log, LogEvent, LogFields } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Dice } from "./dice.ts";
import type { DiskUser } from "./disk.ts";
import type { Host } from "./stream-end.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** Seconds since 1970 when every world begins. */
const epochMs = 1_900_000_000_000;

/** What a machine tells its process about the time; it outlives the process. */
export class MachineClock {
  readonly #time: VirtualTime;
  #boot = 1;
  /** The first boot was ten minutes before every world. */
  #bootedAt = -600_000;
  /** How wrong the wall clock is, milliseconds. */
  wallErrorMs = 0;

  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** The machine starts anew: what ran since boot begins again. */
  reboot(): void {
    this.#boot += 1;
    this.#bootedAt = this.#time.now;
  }

  readonly clock: Seams["clock"] = {
    wallMs: () => epochMs + this.#time.now + this.wallErrorMs,
    sinceBootMs: () => this.#time.now - this.#bootedAt,
    bootId: () => `boot-${this.#boot}`,
  };
}

export interface ProcessOptions {
  readonly name: string;
  readonly time: VirtualTime;
  readonly machine: MachineClock;
  readonly dice: Dice;
  /** Every log line. */
  onLog(process: Process, level: "info" | "warn" | "error", event: LogEvent, fields: LogFields): void;
  onFailpoint(process: Process, name: string): void;
}

/** One life of a node's process: when it dies, its object graph goes on to run against seams that do nothing any more. */
export class Process implements Host, DiskUser {
  readonly name: string;
  readonly seams: Seams;
  readonly log: Log;
  #alive = true;
  readonly #deathListeners: ((gone: "at once" | "in silence") => void)[] = [];

  constructor(options: ProcessOptions) {
    const { name, time, machine, dice, onLog, onFailpoint } = options;
    this.name = name;
    this.seams = {
      clock: machine.clock,
      timers: { after: (delayMs, fire) => time.after(delayMs, () => this.#fire(fire)) },
      random: dice.bytes,
      failpoint: (point) => void (this.#alive && onFailpoint(this, point)),
    };
    const line =
      (level: "info" | "warn" | "error") =>
      (event: LogEvent, fields: LogFields = {}) => {
        if (this.#alive) onLog(this, level, event, fields);
      };
    this.log = { debug() {}, info: line("info"), warn: line("warn"), error: line("error") };
  }

  /** What a process throws that died in the middle of it troubles nobody any more. */
  #fire(fire: () => void): void {
    if (!this.#alive) return;
    try {
      fire();
    } catch (error) {
      if (this.#alive) throw error;
    }
  }

  get alive(): boolean {
    return this.#alive;
  }

  onDeath(listener: (gone: "at once" | "in silence") => void): void {
    this.#deathListeners.push(listener);
  }

  die(gone: "at once" | "in silence" = "at once"): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const listener of this.#deathListeners.splice(0)) listener(gone);
  }
}
