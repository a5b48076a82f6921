import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Seams } from "./seams.ts";

/** The seams of the real machine. */
export function machineSeams(): Seams {
  const boot = readBootId();
  return {
    clock: { wallMs: () => Date.now(), sinceBootMs: () => Math.floor(uptime() * 1000), bootId: () => boot },
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

/** The kernel's boot id; elsewhere one made from the boot's own time, which changes at each boot too. */
function readBootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return `boot-${Math.round((Date.now() - uptime() * 1000) / 10_000)}`;
  }
}
