import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Random } from "../../protocol/base/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import { HttpError, type Problem, problem, problemBytes, problemOf, problemType } from "../http/index.ts";
import type { Log } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { Clock, Timers } from "../seams/index.ts";
import { AnswerCache } from "./answer-cache.ts";
import { ApplicationTable } from "./applications.ts";
import { ConnectionTokens } from "./connection-tokens.ts";
import type { ApiListener, ApplicationRecord, CredentialSource, Health, ReadEvent } from "./contracts.ts";
import { isCredentialRead, readCredential } from "./credential-read.ts";
import { type ApiCode, ApiError } from "./errors.ts";
import { guard } from "./guard.ts";
import { apiLimits } from "./limits.ts";
import { type ApiTls, type OpenListener, openListener } from "./listeners.ts";
import { TurnAnswers } from "./turn-answers.ts";
import { Waiters } from "./waiters.ts";

export interface LocalApiOptions {
  readonly listeners: readonly ApiListener[];
  readonly tls: ApiTls | null;
  readonly source: CredentialSource;
  /** The applications now; asked again at each `changed()`. */
  readonly applications: () => readonly ApplicationRecord[];
  readonly health: () => Health;
  /** ISO 8601, or null before the vault was ever heard. */
  readonly vaultLastHeardAt: () => string | null;
  /** The time, for leases. */
  readonly interval: () => TimeInterval;
  readonly onRead: (event: ReadEvent) => void;
  /** A connection showed the token of the application of this id. */
  readonly onLogin?: (application: string) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
}

export interface LocalApi {
  /** The open listeners, with real ports. */
  readonly listeners: readonly OpenListener[];
  /** Credentials (of one path, or all of them) or applications changed. */
  changed(path?: string): void;
  /** Idempotent. */
  close(): Promise<void>;
}

/** Opens the local API on all its listeners, or none. Throws API_LISTEN and API_LISTEN_UNSAFE. */
export async function openLocalApi(options: LocalApiOptions): Promise<LocalApi> {
  const answers = new AnswerCache(options.source, options.random);
  let applications = new ApplicationTable(options.applications());
  const counts = countReads(options.metrics);
  const waiters = new Waiters(options.timers);
  options.metrics.gauge("api_reads_waiting", "Reads that wait for another version.", () => waiters.count);
  const attempt = (response: ServerResponse, work: () => void): void => {
    try {
      work();
    } catch (error) {
      refuse(response, error, options.log);
    }
  };
  const read = {
    applications: () => applications,
    answers,
    tokens: new ConnectionTokens(({ id }) => options.onLogin?.(id)),
    turn: new TurnAnswers(),
    nowMs: () => options.clock.sinceBootMs(),
    vaultLastHeardAt: options.vaultLastHeardAt,
    interval: options.interval,
    waiters,
    attempt,
    onRead: (event: ReadEvent) => {
      counts[event.outcome] += 1;
      options.onRead(event);
    },
  };
  const make =
    (hosts: () => ReadonlySet<string>): RequestListener =>
    (request, response) =>
      attempt(response, () => route(request, response, hosts()));
  const route = (request: IncomingMessage, response: ServerResponse, hosts: ReadonlySet<string>): void => {
    const url = request.url ?? "";
    if (url.length > apiLimits.urlBytes) throw new ApiError("API_URL_TOO_LONG", `at most ${apiLimits.urlBytes} bytes`);
    guard(request, hosts);
    if (isCredentialRead(url)) {
      requireGet(request);
      return readCredential(request, response, read);
    }
    answerOther(request, response, url, options);
  };

  const listeners: OpenListener[] = [];
  const close = async () => {
    waiters.close();
    await Promise.all(listeners.map((listener) => listener.close()));
    answers.close();
  };
  try {
    for (const listener of options.listeners) listeners.push(await openListener(listener, options.tls, make));
  } catch (error) {
    await close();
    throw error;
  }
  return {
    listeners,
    changed(path) {
      answers.forget(path);
      if (path === undefined) applications = new ApplicationTable(options.applications());
      waiters.changed(path);
    },
    close,
  };
}

/** Counted as plain numbers and read at the scrape: a labelled counter would cost the hot path a microsecond. */
function countReads(metrics: Metrics): Record<ReadEvent["outcome"], number> {
  const counts = { read: 0, unchanged: 0, refused: 0 };
  metrics.counted("api_reads", "Reads of credentials that were answered with a value.", () => counts.read);
  metrics.counted("api_reads_unchanged", "Reads answered with 304.", () => counts.unchanged);
  metrics.counted("api_reads_refused", "Reads that were refused.", () => counts.refused);
  return counts;
}

/** Calls of later versions, by how their path begins: they answer 501 rather than 404. */
const laterCalls = ["/v1/requests", "/v1/leases/", "/v1/secret/", "/v1/sys/", "/v1/auth/", "/AIMWebService/"];

function answerOther(request: IncomingMessage, response: ServerResponse, url: string, options: LocalApiOptions): void {
  const [path] = url.split("?", 1);
  if (path === "/healthz" || path === "/readyz") {
    requireGet(request);
    const health = options.health();
    const green = path === "/healthz" ? health.checks.every((check) => check.ok) : health.ready;
    const body = path === "/healthz" ? { ok: green, checks: health.checks } : { ready: green };
    return sendBytes(response, green ? 200 : 503, "application/json", Buffer.from(JSON.stringify(body)));
  }
  if (path === "/metrics") {
    requireGet(request);
    const { contentType } = options.metrics;
    options.metrics.text().then(
      (text) => sendBytes(response, 200, contentType, Buffer.from(text)),
      (error: unknown) => refuse(response, error, options.log),
    );
    return;
  }
  if (laterCalls.some((call) => url.startsWith(call))) {
    return sendProblem(response, notAvailable);
  }
  throw new HttpError("REQUEST_NO_ROUTE", "no such call");
}

const notAvailable: Problem = problem({
  code: "NOT_AVAILABLE",
  status: 501,
  detail: "this call is not available in this version",
  fault: "caller",
  retryable: false,
});

function requireGet(request: IncomingMessage): void {
  if (request.method !== "GET") throw new ApiError("API_METHOD", "this call takes GET only");
}

const statusOf: Readonly<Partial<Record<ApiCode, number>>> = {
  API_UNAUTHENTICATED: 401,
  API_REFUSED: 403,
  API_NO_VALUE: 404,
  API_HEADER_MISSING: 403,
  API_ORIGIN_REFUSED: 403,
  API_HOST_REFUSED: 421,
  API_PATH_INVALID: 400,
  API_QUERY_INVALID: 400,
  API_STALE: 503,
  API_EXPIRED: 503,
  API_MEMORY_ONLY: 503,
  API_WAITERS_FULL: 429,
  API_METHOD: 405,
  API_URL_TOO_LONG: 414,
};

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  const code = error instanceof ApiError ? error.code : null;
  const shown = problemOf(error, code === null ? undefined : statusOf[code]);
  if (shown.status === 500) log.error("api.failed", { error });
  if (shown.status === 401) response.setHeader("www-authenticate", "Bearer");
  if (shown.status === 405) response.setHeader("allow", "GET");
  sendProblem(response, shown);
}

function sendProblem(response: ServerResponse, shown: Problem): void {
  sendBytes(response, shown.status, problemType, problemBytes(shown));
}

function sendBytes(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { "content-type": type, "content-length": body.length, "cache-control": "no-store" });
  response.end(body);
}
