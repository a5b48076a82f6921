import type { IncomingMessage, ServerResponse } from "node:http";
import { isPath } from "../../protocol/content/index.ts";
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
  readonly onRead: (event: ReadEvent) => void;
}

/**
 * Answers one GET /v1/credentials/{path}: the hot path, so it sits directly on node:http. Throws API_UNAUTHENTICATED, API_REFUSED,
 * API_NO_VALUE and API_PATH_INVALID; nothing on it waits for a disk or a peer.
 */
export function readCredential(request: IncomingMessage, response: ServerResponse, options: CredentialReadOptions): void {
  const path = (request.url ?? "").slice(credentialsPrefix.length);
  const application = authenticate(request, options.applications());
  if (application === null) {
    options.onRead({ application: null, path: isPath(path) ? path : "", version: null, outcome: "refused" });
    throw new ApiError("API_UNAUTHENTICATED", "no token, or not the token of an enabled application");
  }
  const answer = granted(path, application, options);
  const { version } = answer.credential;
  if (request.headers["if-none-match"] === answer.etag) {
    options.onRead({ application: application.id, path, version, outcome: "unchanged" });
    response.writeHead(304, ["etag", answer.etag, "cache-control", "no-store"]);
    response.end();
    return;
  }
  options.onRead({ application: application.id, path, version, outcome: "read" });
  send(response, answer, options);
}

function authenticate(request: IncomingMessage, applications: ApplicationTable): Application | null {
  const { authorization } = request.headers;
  return authorization?.startsWith(bearer) ? applications.authenticate(authorization.slice(bearer.length)) : null;
}

/** The grant is asked before the path is looked up: what is not granted answers the same, there or not. */
function granted(path: string, application: Application, options: CredentialReadOptions): CachedAnswer {
  if (!application.mayRead(path)) {
    if (!isPath(path)) throw new ApiError("API_PATH_INVALID", "a path is zone/device/account, without escapes");
    options.onRead({ application: application.id, path, version: null, outcome: "refused" });
    throw new ApiError("API_REFUSED", "this application may not read this path");
  }
  const answer = options.answers.get(path);
  if (answer !== null) return answer;
  throw new ApiError("API_NO_VALUE", "no value for this path is held here");
}

function send(response: ServerResponse, answer: CachedAnswer, options: CredentialReadOptions): void {
  const { currentSinceMs, source, rotation, expiresAt } = answer.credential;
  const ageMs = Math.max(0, options.nowMs() - currentSinceMs);
  const heard = options.vaultLastHeardAt();
  // Only constants, numbers and our own timestamps: nothing here needs escaping.
  const body = answer.render(
    `"ageMs":${ageMs},"source":"${source}","vaultLastHeardAt":${heard === null ? "null" : `"${heard}"`},` +
      `"rotation":"${rotation}","expiresAt":${expiresAt === null ? "null" : `"${expiresAt}"`}}`,
  );
  const length = body.length.toString();
  response.writeHead(200, [
    "content-type",
    "application/json",
    "cache-control",
    "no-store",
    "content-length",
    length,
    "etag",
    answer.etag,
  ]);
  response.end(body);
  wipeOnceWritten(response, body);
}

/** Mostly the kernel has it at once; waiting for the event would cost more than opening the value. */
function wipeOnceWritten(response: ServerResponse, body: Buffer): void {
  if (response.socket?.writableLength === 0) body.fill(0);
  else response.once("finish", () => body.fill(0));
}
