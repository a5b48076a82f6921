import { type Finding, failure, good, warning } from "./finding.ts";
import { earliestMs, latestMs, leastNode } from "./limits.ts";
import type { MachineFacts } from "./machine-facts.ts";

/** What is the same for every node of this machine. `pid` is a node that runs, whose own limits count then. */
export function machineChecks(facts: MachineFacts, pid: number | null): Finding[] {
  return [runtime(facts), clock(facts), hardwareClock(facts), mask(facts), swap(facts), coreDumps(facts, pid)];
}

function runtime({ nodeVersion, platform }: MachineFacts): Finding {
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const says = `Node ${nodeVersion} on ${platform}`;
  if (major < leastNode[0] || (major === leastNode[0] && minor < leastNode[1])) {
    return failure(
      "runtime",
      says,
      "Install with the platform's package, which brings its own Node: npm install without --omit=optional.",
    );
  }
  if (platform === "linux") return good("runtime", says);
  return warning("runtime", says, "Nodes are tested on Linux; on other systems run the commands only.");
}

function clock({ nowMs }: MachineFacts): Finding {
  const says = `it is ${new Date(nowMs).toISOString()} by this machine`;
  if (nowMs >= earliestMs && nowMs < latestMs) return good("clock", says);
  return failure(
    "clock",
    says,
    "Set the clock. An edge goes on without: it learns the time from the vault, by tunnel or medium, and says CLOCK_UNKNOWN until then.",
  );
}

function hardwareClock({ text }: MachineFacts): Finding {
  const name = text("/sys/class/rtc/rtc0/name");
  if (name !== null) return good("hardware clock", name.trim());
  return warning(
    "hardware clock",
    "none: without power this machine forgets the time",
    "Windows stay closed after each power cut until the vault is heard: fit a clock, or use 'device set --windowless' with care.",
  );
}

function mask({ umask }: MachineFacts): Finding {
  const says = `umask ${umask.toString(8).padStart(3, "0")}`;
  if ((umask & 0o077) === 0o077) return good("umask", says);
  return warning(
    "umask",
    says,
    "Tidegate makes its own files 0600; for what is copied by hand set 'umask 077', in a unit UMask=0077.",
  );
}

function swap({ text }: MachineFacts): Finding {
  const areas = (text("/proc/swaps") ?? "")
    .split("\n")
    .slice(1)
    .map((line) => line.split(/\s+/)[0] ?? "")
    .filter((name) => name !== "" && !/^\/dev\/(zram|dm-)/.test(name));
  if (areas.length === 0) return good("swap", "none that lies on a disk in clear");
  return warning(
    "swap",
    areas.join(", "),
    "Passwords in memory may reach the disk: swapoff, encrypt it, or MemorySwapMax=0 in the unit.",
  );
}

/** A soft limit of 0 keeps the kernel from writing a core; a pattern with a pipe ignores the limit. */
function coreDumps({ text }: MachineFacts, pid: number | null): Finding {
  const limits = text(`/proc/${pid ?? "self"}/limits`) ?? "";
  const soft = /^Max core file size\s+(\S+)/m.exec(limits)?.[1] ?? "unknown";
  const pattern = text("/proc/sys/kernel/core_pattern")?.trim() ?? "";
  const whose = pid === null ? "this shell's" : "the node's";
  if (soft === "0" && !pattern.startsWith("|")) return good("core dumps", `${whose} limit is 0`);
  if (soft === "0") {
    return warning(
      "core dumps",
      `${whose} limit is 0, but cores go to ${pattern.slice(0, 60)}`,
      "Have that program drop Tidegate's cores.",
    );
  }
  return warning(
    "core dumps",
    `${whose} limit is ${soft}`,
    "A crash would write passwords to a file: 'ulimit -c 0', in a unit LimitCORE=0.",
  );
}
