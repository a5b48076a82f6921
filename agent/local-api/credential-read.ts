import type { IncomingMessage, ServerResponse } from "node:http";
import { isPath } from "../../protocol/content/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import { withAlternates } from "./alternates.ts";
import type { AnswerCache, CachedAnswer } from "./answer-cache.ts";
import type { Application, ApplicationTable } from "./applications.ts";
import type { ReadEvent } from "./contracts.ts";
import { ApiError } from "./errors.ts";

/** Prefix of the native read; what follows is the path. */
export const credentialsPrefix = "/v1/credentials/";

const bearer = "Bearer ";

export interface CredentialReadOptions {
  readonly applications: () => ApplicationTable;
  readonly answers: AnswerCache;
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
  const application = authenticate(request, options.applications());
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
  options.onRead({ application: application.id, path, version, outcome: "read", person });
  for (const other of alternates ?? [])
    options.onRead({ application: application.id, path, version: other.version, outcome: "read", person });
  const body = renderAnswer(answer, options);
  send(response, alternates === null ? body : withAlternates(body, alternates), etag);
}

function authenticate(request: IncomingMessage, applications: ApplicationTable): Application | null {
  const { authorization } = request.headers;
  return authorization?.startsWith(bearer) ? applications.authenticate(authorization.slice(bearer.length)) : null;
}

/** The grant is asked before the path is looked up: what is not granted answers the same, there or not. */
function granted(path: string, application: Application, options: CredentialReadOptions): CachedAnswer {
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
function renderAnswer(answer: CachedAnswer, options: CredentialReadOptions): Buffer {
  const { currentSinceMs, source, rotation, expiresAt } = answer.credential;
  const ageMs = Math.max(0, options.nowMs() - currentSinceMs);
  const heard = options.vaultLastHeardAt();
  // Only constants, numbers and our own timestamps: nothing here needs escaping.
  return answer.render(
    `"ageMs":${ageMs},"source":"${source}","vaultLastHeardAt":${heard === null ? "null" : `"${heard}"`},` +
      `"rotation":"${rotation}","expiresAt":${expiresAt === null ? "null" : `"${expiresAt}"`}}`,
  );
}

function send(response: ServerResponse, body: Buffer, etag: string): void {
  response.writeHead(200, [
    "content-type",
    "application/json",
    "cache-control",
    "no-store",
    "content-length",
    body.length.toString(),
    "etag",
    etag,
  ]);
  response.end(body);
  wipeOnceWritten(response, body);
}

/** Mostly the kernel has it at once; waiting for the event would cost more than opening the value. */
function wipeOnceWritten(response: ServerResponse, body: Buffer): void {
  if (response.socket?.writableLength === 0) body.fill(0);
  else response.once("finish", () => body.fill(0));
}
