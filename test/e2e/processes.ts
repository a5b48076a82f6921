import { readdirSync, readFileSync } from "node:fs";

/** True while a process of this id exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.state;
  return state !== undefined && state !== "Z";
}

/** Every living process below `pid`, children before theirs. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(Number(name));
    if (stat !== null && stat.state !== "Z") parents.set(Number(name), stat.parent);
  }
  const found = [pid];
  for (const each of found) for (const [child, parent] of parents) if (parent === each) found.push(child);
  return found.slice(1);
}

/** What everybody on the machine can see of a process: its arguments and its environment, zero bytes as blanks. */
export function publicFace(pid: number): Buffer {
  return Buffer.concat([readFileSync(`/proc/${pid}/cmdline`), Buffer.from("\n"), readFileSync(`/proc/${pid}/environ`)]);
}

function statOf(pid: number): { state: string; parent: number } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything.
    const [state = "", parent = "0"] = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}
