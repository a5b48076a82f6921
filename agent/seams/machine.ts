import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Seams } from "./seams.ts";

/** The seams of the real machine. */
export function machineSeams(): Seams {
  const boot = readBootId();
  return {
    clock: {
      wallMs: () => Date.now(),
      sinceBootMs: sinceBootOf({ bootSeconds: uptime, monotonicNs: process.hrtime.bigint }),
      bootId: () => boot,
    },
    timers: {
      after(delayMs, fire) {
        const handle = setTimeout(fire, delayMs);
        return () => clearTimeout(handle);
      },
    },
    random: (length) => new Uint8Array(randomBytes(length)),
    failpoint: () => {},
  };
}

/** The kernel's two steady clocks: one goes on through suspend, the other stands still but is ten times as fast to read. */
interface SteadyClocks {
  /** Seconds since boot, suspend included. */
  bootSeconds(): number;
  /** Nanoseconds since some moment, suspend excluded. */
  monotonicNs(): bigint;
}

/** How long the fast clock is believed after a look at the other one: as late as that a suspend may be seen, ns. */
const believedNs = 100_000_000n;

/** Milliseconds since boot, suspend included; never runs backwards. A tunnel asks it for each frame. */
export function sinceBootOf({ bootSeconds, monotonicNs }: SteadyClocks): () => number {
  let lookedAtNs: bigint | null = null;
  let seenMs = 0;
  let lastMs = 0;
  return () => {
    const nowNs = monotonicNs();
    if (lookedAtNs === null || nowNs - lookedAtNs >= believedNs) {
      seenMs = bootSeconds() * 1000;
      lookedAtNs = nowNs;
    }
    lastMs = Math.max(lastMs, Math.floor(seenMs + Number(nowNs - lookedAtNs) / 1e6));
    return lastMs;
  };
}

/** The kernel's boot id; elsewhere one made from the boot's own time, which changes at each boot too. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return `boot-${Math.round((Date.now() - uptime() * 1000) / 10_000)}`;
  }
}
