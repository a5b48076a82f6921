import { CliError, dataPath, type Frame } from "../frame/index.ts";
import { secondsOf } from "./duration.ts";

/** A policy as the vault takes it. */
export interface Rotation {
  readonly rotate: string;
  readonly intervalS: number | null;
}

/** Reads `--rotate`. Throws CLI_USAGE. */
export function rotationOf(text: string): Rotation {
  if (text === "never" || text === "on-demand") return { rotate: text, intervalS: null };
  const intervalS = secondsOf(text);
  if (intervalS === null) {
    throw new CliError("CLI_USAGE", "--rotate takes never, on-demand, or an interval such as 30d, 12h or 90m");
  }
  return { rotate: "interval", intervalS };
}

/** The vault's data folder. */
export function vaultPath(frame: Frame, options: { data?: string }): string {
  return dataPath(frame, "vault", options);
}

/** An option that may be given more than once. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** The same for key=value. Throws CLI_USAGE. */
export function collectPair(value: string, before: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const at = value.indexOf("=");
  if (at < 1) throw new CliError("CLI_USAGE", "--set takes key=value");
  return [...before, [value.slice(0, at), value.slice(at + 1)]];
}
