import { CliError } from "../frame/index.ts";

/** Longest wait for one thing of the demo, milliseconds. */
const patienceMs = 30_000;
const lookEveryMs = 100;

/** Looks again and again until `look` gives something else than null; throws CLI_DEMO where it does not in time. */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const started = performance.now();
  let last: unknown = null;
  while (performance.now() - started < patienceMs) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
  }
  throw new CliError("CLI_DEMO", `waited ${patienceMs / 1000} s for ${what}`, { cause: last });
}
