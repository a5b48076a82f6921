import type { IncomingMessage, ServerResponse } from "node:http";
import { isPath } from "../../protocol/content/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import { withAlternates } from "./alternates.ts";
import type { AnswerCache } from "./answer-cache.ts";
import type { Application, ApplicationTable } from "./applications.ts";
import type { ConnectionTokens } from "./connection-tokens.ts";
import type { ReadEvent } from "./contracts.ts";
import { ApiError } from "./errors.ts";
import { answerHeaders, type PreparedAnswer } from "./prepared-answer.ts";

/** Prefix of the native read; what follows is the path. */
export const credentialsPrefix = "/v1/credentials/";

const bearer = "Bearer ";

export interface CredentialReadOptions {
  readonly applications: () => ApplicationTable;
  readonly answers: AnswerCache;
  readonly tokens: ConnectionTokens;
  /** Since-boot milliseconds. */
  readonly nowMs: () => number;
  /** ISO 8601 or null: when the vault was last heard. */
  readonly vaultLastHeardAt: () => string | null;
  /** The time, for leases. */
  readonly interval: () => TimeInterval;
  readonly onRead: (event: ReadEvent) => void;
}

/** The one query that this call knows. */
const alternatesQuery = "?alternates=1";

/** The native read's own calls; any other query is one of a later version. */
export function isCredentialRead(url: string): boolean {
  return url.startsWith(credentialsPrefix) && (!url.includes("?") || url.endsWith(alternatesQuery));
}

/**
 * Answers one GET /v1/credentials/{path}, with `?alternates=1` also what else may be live: the hot path, so it sits directly on node:http. Throws API_UNAUTHENTICATED, API_REFUSED,
 * API_NO_VALUE and API_PATH_INVALID; nothing on it waits for a disk or a peer.
 */
export function readCredential(request: IncomingMessage, response: ServerResponse, options: CredentialReadOptions): void {
  const url = request.url ?? "";
  const wantsAlternates = url.endsWith(alternatesQuery);
  const path = url.slice(credentialsPrefix.length, wantsAlternates ? -alternatesQuery.length : undefined);
  const application = authenticate(request, options);
  if (application === null) {
    options.onRead({ application: null, path: isPath(path) ? path : "", version: null, outcome: "refused", person: false });
    throw new ApiError("API_UNAUTHENTICATED", "no token, or not the token of an enabled application");
  }
  const answer = granted(path, application, options);
  const { version } = answer.credential;
  const { person } = application;
  const alternates = wantsAlternates ? answer.credential.alternates() : null;
  const etag = alternates === null ? answer.etag : `"${[version, ...alternates.map((each) => each.version)].join("+")}"`;
  if (request.headers["if-none-match"] === etag) {
    options.onRead({ application: application.id, path, version, outcome: "unchanged", person });
    response.writeHead(304, ["etag", etag, "cache-control", "no-store"]);
    response.end();
    return;
  }
  options.onRead(answer.readBy(application));
  for (const other of alternates ?? [])
    options.onRead({ application: application.id, path, version: other.version, outcome: "read", person });
  const body = renderAnswer(answer, options);
  if (alternates === null) return send(response, body, answer.headers(body.length));
  const whole = withAlternates(body, alternates);
  send(response, whole, answerHeaders(whole.length, etag));
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
  const answer = options.answers.get(path);
  if (answer !== null) return answer;
  throw new ApiError("API_NO_VALUE", "no value for this path is held here");
}

/** The whole answer; wiped by who sends it. */
function renderAnswer(answer: PreparedAnswer, options: CredentialReadOptions): Buffer {
  const ageMs = Math.max(0, options.nowMs() - answer.credential.currentSinceMs);
  return answer.render(ageMs, options.vaultLastHeardAt());
}

function send(response: ServerResponse, body: Buffer, headers: readonly string[]): void {
  response.writeHead(200, headers as string[]);
  response.end(body);
  wipeOnceWritten(response, body);
}

/** Mostly the kernel has it at once; waiting for the event would cost more than opening the value. */
function wipeOnceWritten(response: ServerResponse, body: Buffer): void {
  if (response.socket?.writableLength === 0) body.fill(0);
  else response.once("finish", () => body.fill(0));
}
