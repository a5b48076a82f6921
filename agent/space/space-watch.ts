import { type StatsFs, statfsSync } from "node:fs";
import type { Timers } from "../seams/index.ts";
import { backFactor, leastFreeBytes, lookEveryMs, releaseBelowBytes, warnPart } from "./limits.ts";
import type { SpaceReserve } from "./space-reserve.ts";

/** A disk, in bytes: what an ordinary process may still write, and all that it may ever: what is kept for root belongs to neither. */
export interface DiskSpace {
  readonly free: number;
  readonly total: number;
}

/** `low`: a person should make room. `short`: only what must be written is. */
export type SpaceStanding = "room" | "low" | "short";

export interface SpaceWatchOptions {
  readonly reserve: SpaceReserve;
  readonly timers: Timers;
  /** The disk of the data folder; null where it gives no answer, which counts as full. */
  readonly look: () => DiskSpace | null;
}

type OnChanged = (standing: SpaceStanding) => void;

/** Looks at a node's disk now and then, keeps its reserve, and tells how it stands. */
export class SpaceWatch {
  readonly #options: SpaceWatchOptions;
  #standing: SpaceStanding | null = null;
  #disk: DiskSpace | null = null;
  #onChanged: OnChanged = () => {};
  #cancel: (() => void) | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: SpaceWatchOptions) {
    this.#options = options;
  }

  /** What `status` and the metrics show. */
  get facts(): { standing: SpaceStanding; freeBytes: number; usedPart: number; reserveBytes: number } {
    const disk = this.#disk ?? { free: 0, total: 0 };
    const { reserve } = this.#options;
    return {
      standing: this.#standing ?? "room",
      freeBytes: disk.free,
      usedPart: usedPart(disk),
      reserveBytes: reserve.whole ? reserve.bytes : 0,
    };
  }

  /** True where something new may be begun that needs room to its end. Looks at the disk. */
  hasRoom(): boolean {
    this.#disk = this.#options.look();
    return (this.#disk?.free ?? 0) >= this.#needed() && this.#standing !== "short";
  }

  /** Gives the reserve up where the disk is about to end. Looks at the disk, which costs a system call. */
  makeRoom(): void {
    this.#disk = this.#options.look();
    if ((this.#disk?.free ?? 0) < releaseBelowBytes) this.#options.reserve.release();
  }

  /** Looks from now on; `onChanged` is told of the first look and of each change. */
  start(onChanged: OnChanged): void {
    this.#onChanged = onChanged;
    void this.look();
  }

  /** Looks at the disk now, and again later. The reserve is filled where there is room for it. */
  async look(): Promise<void> {
    this.#cancel?.();
    this.#disk = this.#options.look();
    const free = this.#disk?.free ?? 0;
    if (free < releaseBelowBytes) this.#options.reserve.release();
    if (this.#isShort(free)) this.#become("short");
    else {
      await this.#keep();
      // Until the reserve is whole again nothing that can wait may use the room.
      if (!this.#closed && this.#options.reserve.whole) this.#become(usedPart(this.#disk) >= warnPart ? "low" : "room");
    }
    if (!this.#closed) this.#cancel = this.#options.timers.after(lookEveryMs, () => void this.look());
  }

  /** Waits until the reserve is not being written any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#keeping;
  }

  #isShort(free: number): boolean {
    if (this.#standing !== "short") return free < this.#needed();
    return free < this.#needed() * backFactor;
  }

  /** What must be free: the reserve counts where it was given up. */
  #needed(): number {
    const { reserve } = this.#options;
    return leastFreeBytes + (reserve.whole || this.#standing !== "short" ? 0 : reserve.bytes);
  }

  async #keep(): Promise<void> {
    if (this.#options.reserve.whole) return;
    // What cannot be taken now is taken at a later look; until then the store does without.
    this.#keeping = this.#options.reserve.keep().catch(() => {});
    await this.#keeping;
    if (!this.#options.reserve.whole) this.#become("short");
  }

  #become(standing: SpaceStanding): void {
    if (this.#standing === standing) return;
    this.#standing = standing;
    this.#onChanged(standing);
  }
}

function usedPart(disk: DiskSpace | null): number {
  return disk === null || disk.total === 0 ? 1 : 1 - disk.free / disk.total;
}

/** What statfs(2) says as an ordinary process has it; the part in use is that of df(1). */
export function spaceOf({ bavail, bfree, blocks, bsize }: Pick<StatsFs, "bavail" | "bfree" | "blocks" | "bsize">): DiskSpace {
  return { free: bavail * bsize, total: (blocks - bfree + bavail) * bsize };
}

/** The disk that `path` lies on; null where it gives no answer, or the folder was taken away from under a running node. */
export function diskSpaceAt(path: string): DiskSpace | null {
  try {
    return spaceOf(statfsSync(path));
  } catch {
    return null;
  }
}
