import pino from "pino";
import { TidegateError } from "../../protocol/base/index.ts";

/**
 * What a log line may carry. Everything else is dropped, so that no payload or secret slips in with an object; ids are texts,
 * errors become code and message.
 */
export interface LogFields {
  readonly account?: string;
  readonly address?: string;
  readonly application?: string;
  readonly attempt?: number;
  readonly code?: string;
  readonly count?: number;
  readonly delayMs?: number;
  readonly device?: string;
  readonly durationMs?: number;
  readonly epoch?: number;
  readonly error?: unknown;
  readonly id?: string;
  readonly listener?: string;
  readonly mode?: string;
  readonly name?: string;
  readonly node?: string;
  readonly outcome?: string;
  readonly path?: string;
  readonly peer?: string;
  readonly pid?: number;
  readonly port?: number;
  readonly reason?: string;
  readonly seq?: number;
  readonly size?: number;
  readonly state?: string;
  readonly status?: number;
  readonly version?: string;
}

/** Event names are `noun.verb`. */
export type LogEvent = `${string}.${string}`;

export interface Log {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const allowed: ReadonlySet<string> = new Set([
  "account",
  "address",
  "application",
  "attempt",
  "code",
  "count",
  "delayMs",
  "device",
  "durationMs",
  "epoch",
  "id",
  "listener",
  "mode",
  "name",
  "node",
  "outcome",
  "path",
  "peer",
  "pid",
  "port",
  "reason",
  "seq",
  "size",
  "state",
  "status",
  "version",
]);

export interface LogOptions {
  readonly level: LogLevel;
  /** Which node speaks; stands in each line. */
  readonly node: string;
  /** Where the lines go; standard error unless given. Written synchronously only where the destination is. */
  readonly destination?: { write(line: string): void };
}

/** A log of JSON lines with allow-listed fields. */
export function createLog(options: LogOptions): Log {
  const settings = {
    level: options.level,
    base: { role: options.node },
    messageKey: "event",
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  const logger = pino(settings, options.destination ?? pino.destination({ fd: 2, sync: false, maxLength: 1024 * 1024 }));
  return {
    debug: (event, fields) => logger.isLevelEnabled("debug") && logger.debug(kept(fields), event),
    info: (event, fields) => logger.isLevelEnabled("info") && logger.info(kept(fields), event),
    warn: (event, fields) => logger.isLevelEnabled("warn") && logger.warn(kept(fields), event),
    error: (event, fields) => logger.isLevelEnabled("error") && logger.error(kept(fields), event),
  };
}

function kept(fields: LogFields = {}): Record<string, string | number> {
  const out: Record<string, string | number> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (name === "error") Object.assign(out, describeError(value));
    else if (allowed.has(name) && (typeof value === "string" || typeof value === "number")) out[name] = value;
  }
  return out;
}

/** A bug's stack is worth its lines; an expected error's is not. */
function describeError(error: unknown): Record<string, string> {
  if (error instanceof TidegateError) {
    const described: Record<string, string> = { code: error.code, reason: error.message };
    if (error.cause instanceof Error) described["cause"] = error.cause.message;
    return described;
  }
  if (error instanceof Error) return { code: "INTERNAL", reason: error.message, stack: error.stack ?? "" };
  return { code: "INTERNAL", reason: "not an error" };
}
