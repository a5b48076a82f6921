import type { IncomingMessage, ServerResponse } from "node:http";
import { TidegateError } from "../../protocol/base/index.ts";
import { isPath } from "../../protocol/content/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import { withAlternates } from "./alternates.ts";
import type { AnswerCache } from "./answer-cache.ts";
import type { Application, ApplicationTable } from "./applications.ts";
import type { ConnectionTokens } from "./connection-tokens.ts";
import type { ReadEvent } from "./contracts.ts";
import { ApiError } from "./errors.ts";
import { type Judged, judgeFreshness } from "./freshness.ts";
import { answerHeaders, type PreparedAnswer } from "./prepared-answer.ts";
import { parseRead, type ReadQuery } from "./read-query.ts";
import type { TurnAnswers } from "./turn-answers.ts";
import type { Waiters } from "./waiters.ts";

/** Prefix of the native read; what follows is the path. */
export const credentialsPrefix = "/v1/credentials/";

const bearer = "Bearer ";

export interface CredentialReadOptions {
  readonly applications: () => ApplicationTable;
  readonly answers: AnswerCache;
  readonly tokens: ConnectionTokens;
  readonly turn: TurnAnswers;
  /** Since-boot milliseconds. */
  readonly nowMs: () => number;
  /** ISO 8601 or null: when the vault was last heard. */
  readonly vaultLastHeardAt: () => string | null;
  /** The time, for leases. */
  readonly interval: () => TimeInterval;
  readonly onRead: (event: ReadEvent) => void;
  readonly waiters: Waiters;
  /** Answers a read that waited; what `work` throws is what it is refused with. */
  readonly attempt: (response: ServerResponse, work: () => void) => void;
}

/** The header of a stale answer that is served with a warning: RFC 7234 section 5.5.1. */
const staleWarning: readonly string[] = ["warning", '110 - "Response is Stale"'];
const noWarning: readonly string[] = [];

/** A read's path, which may be followed by `?alternates=1` or `?after=VERSION&waitMs=`. */
export function isCredentialRead(url: string): boolean {
  return url.startsWith(credentialsPrefix);
}

/**
 * Answers one GET /v1/credentials/{path}, with `?alternates=1` also what else may be live, with `?after=` once there is another version: the hot
 * path, so it sits directly on node:http. Throws API_UNAUTHENTICATED, API_REFUSED, API_NO_VALUE, API_PATH_INVALID, API_QUERY_INVALID, API_STALE,
 * API_EXPIRED, API_WAITERS_FULL and CLOCK_UNKNOWN; nothing on it waits for a disk or a peer.
 */
export function readCredential(request: IncomingMessage, response: ServerResponse, options: CredentialReadOptions): void {
  const { path, query } = parseRead((request.url ?? "").slice(credentialsPrefix.length));
  // Nearly none waits, and a look at the clock is a twentieth of a read.
  const untilMs = query.waitMs === 0 ? 0 : options.nowMs() + query.waitMs;
  answerRead({ request, response, path, query, untilMs }, options);
}

/** A read on its way; `untilMs` is when it has waited long enough, since-boot milliseconds. */
interface Reading {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: ReadQuery;
  readonly untilMs: number;
}

function answerRead(reading: Reading, options: CredentialReadOptions, last = false): void {
  const { request, response, path, query } = reading;
  const application = authenticate(request, options);
  if (application === null) {
    const address = request.socket.remoteAddress ?? "local";
    const known = isPath(path) ? path : "";
    options.onRead({ application: null, path: known, version: null, outcome: "refused", person: false, address });
    throw new ApiError("API_UNAUTHENTICATED", "no token, or not the token of an enabled application");
  }
  const answer = granted(path, application, options);
  const judged = judge(answer, path, application, options);
  const { version } = answer.credential;
  const { person } = application;
  if (query.after === version && !last && query.waitMs > 0) return waitForAnother(reading, application, options);
  const alternates = query.alternates ? answer.credential.alternates() : null;
  const etag = alternates === null ? answer.etag : `"${[version, ...alternates.map((each) => each.version)].join("+")}"`;
  const warning = judged === "warn" ? staleWarning : noWarning;
  if (request.headers["if-none-match"] === etag || query.after === version) {
    options.onRead({ application: application.id, path, version, outcome: "unchanged", person });
    response.writeHead(304, ["etag", etag, "cache-control", "no-store", ...warning]);
    response.end();
    return;
  }
  options.onRead(answer.readBy(application));
  for (const other of alternates ?? [])
    options.onRead({ application: application.id, path, version: other.version, outcome: "read", person });
  const body = renderAnswer(answer, options, judged !== "fresh");
  if (alternates === null && judged !== "warn") return send(response, body, answer.headers(body.length), options);
  const whole = alternates === null ? body : withAlternates(body, alternates);
  send(response, whole, [...answerHeaders(whole.length, etag), ...warning], options);
}

/** Reads again when something changed: its token and its grants may have gone meanwhile too. */
function waitForAnother(reading: Reading, application: Application, options: CredentialReadOptions): void {
  const { response, path, untilMs } = reading;
  const forget = options.waiters.add({
    path,
    application: application.id,
    waitMs: Math.max(0, untilMs - options.nowMs()),
    again: (last) => options.attempt(response, () => answerRead(reading, options, last)),
  });
  response.once("close", forget);
}

/** What a rule says about serving it now; a refusal is written down. */
function judge(answer: PreparedAnswer, path: string, application: Application, options: CredentialReadOptions): Judged {
  const { freshness = null, version } = answer.credential;
  if (freshness === null) return "fresh";
  try {
    return judgeFreshness(freshness, options.vaultLastHeardAt(), options.interval());
  } catch (error) {
    throw noted(error, { application, path, version }, options);
  }
}

/** What a granted read is refused with, once it is written down that it was asked for. */
function noted(
  error: unknown,
  { application: { id, person }, path, version }: { application: Application; path: string; version: string | null },
  options: CredentialReadOptions,
): unknown {
  if (error instanceof TidegateError)
    options.onRead({ application: id, path, version, outcome: "refused", person, code: error.code });
  return error;
}

function authenticate(request: IncomingMessage, { tokens, applications }: CredentialReadOptions): Application | null {
  const { authorization } = request.headers;
  if (authorization?.startsWith(bearer) !== true) return null;
  return tokens.authenticate(request.socket, authorization.slice(bearer.length), applications());
}

/** The grant is asked before the path is looked up: what is not granted answers the same, there or not. */
function granted(path: string, application: Application, options: CredentialReadOptions): PreparedAnswer {
  if (!application.mayRead(path, options.interval)) {
    if (!isPath(path)) throw new ApiError("API_PATH_INVALID", "a path is zone/device/account, without escapes");
    options.onRead({ application: application.id, path, version: null, outcome: "refused", person: application.person });
    throw new ApiError("API_REFUSED", "this application may not read this path");
  }
  try {
    const answer = options.answers.get(path);
    if (answer !== null) return answer;
    throw new ApiError("API_NO_VALUE", "no value for this path is held here");
  } catch (error) {
    throw noted(error, { application, path, version: null }, options);
  }
}

/** The whole answer; wiped by who sends it. */
function renderAnswer(answer: PreparedAnswer, options: CredentialReadOptions, stale: boolean): Buffer {
  const ageMs = Math.max(0, options.nowMs() - answer.credential.currentSinceMs);
  return answer.render(ageMs, options.vaultLastHeardAt(), stale);
}

function send(response: ServerResponse, body: Buffer, headers: readonly string[], { turn }: CredentialReadOptions): void {
  response.writeHead(200, headers as string[]);
  turn.end(response, body);
}
