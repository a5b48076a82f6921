import { type IncomingMessage, type RequestOptions, request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { RemoteError } from "../../agent/admin/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { CliError, readLimited } from "../frame/index.ts";

/** Where a node's local API answers: its Unix socket, or an http(s) address with, for a private CA, its certificate. */
export type ApiPlace =
  | { readonly kind: "socket"; readonly path: string }
  | { readonly kind: "url"; readonly base: string; readonly caFile?: string | undefined };

/** A credential as the API answers it. */
export interface CredentialAnswer {
  readonly path: string;
  readonly username: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly password?: string;
  readonly version: string;
  readonly ageMs: number;
  readonly source: string;
  readonly vaultLastHeardAt: string | null;
  readonly rotation: "idle" | "in-progress";
  readonly expiresAt: string | null;
  /** Only where a rule of the vault calls the value stale. */
  readonly stale?: boolean;
}

/** Only another version than this one, which may take so long to come. */
export interface AfterVersion {
  readonly version: string;
  /** At most a minute. */
  readonly waitMs: number;
}

/** An answer has at most 8 fields of 4 KiB, escaped. */
const maxAnswerBytes = 512 * 1024;
/** A local read takes a millisecond; who waits this long talks to something else. */
const timeoutMs = 10_000;

/**
 * Reads one credential with an application's token; with `after` null where there was no other version in time. Throws the API's own code, or
 * CLI_API_UNREACHABLE.
 */
export async function readCredential(
  place: ApiPlace,
  path: string,
  token: Secret,
  after: AfterVersion | null = null,
): Promise<CredentialAnswer | null> {
  const query = after === null ? "" : `?after=${encodeURIComponent(after.version)}&waitMs=${after.waitMs}`;
  // The API says of a path that it is none, whatever a person typed there.
  const asked = path.split("/").map(encodeURIComponent).join("/");
  const response = await send(place, `/v1/credentials/${asked}${query}`, { token, waitMs: after?.waitMs ?? 0 });
  const text = await bodyOf(response);
  if (response.statusCode === 304) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CliError("CLI_API_UNREACHABLE", "what answers there is not a local API", { cause });
  }
  if (response.statusCode === 200) return value as CredentialAnswer;
  throw problemAsError(value);
}

function send(
  place: ApiPlace,
  path: string,
  { token, waitMs }: { readonly token: Secret; readonly waitMs: number },
): Promise<IncomingMessage> {
  if (!token.use((bytes) => bytes.every((byte) => byte > 0x20 && byte < 0x7f))) {
    throw new CliError("CLI_NO_SECRET", "what was given is no application's token", {
      hint: "A token is one word of letters and digits, as 'tidegate app token NAME --out FILE' writes it.",
    });
  }
  // Header values are strings in Node; this one lives as long as the request.
  const authorization = token.use((bytes) => `Bearer ${Buffer.from(bytes).toString("latin1")}`);
  const headers = { authorization, "x-tidegate-request": "true", host: "localhost" };
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(
        new CliError("CLI_API_UNREACHABLE", `no local API answers at ${placeText(place)} (${reason(cause)})`, {
          cause,
          hint: "Is the node running? Name it with --data DIR, --socket FILE or --url URL (and --ca FILE).",
        }),
      );
    try {
      const { url, options } = target(place, path, headers);
      const open = url.protocol === "https:" ? requestTls : requestPlain;
      const outgoing = open(url, options, resolve);
      outgoing.setTimeout(timeoutMs + waitMs, () => outgoing.destroy(new Error("no answer in time")));
      outgoing.on("error", failed);
      outgoing.end();
    } catch (cause) {
      if (cause instanceof CliError) reject(cause);
      else failed(cause);
    }
  });
}

function target(place: ApiPlace, path: string, headers: Record<string, string>): { url: URL; options: RequestOptions } {
  if (place.kind === "socket") {
    return { url: new URL(`http://localhost${path}`), options: { socketPath: place.path, headers } };
  }
  const url = new URL(path, place.base);
  const ca = place.caFile === undefined ? {} : { ca: readLimited(place.caFile) };
  return { url, options: { ...ca, headers: { ...headers, host: url.host } } };
}

function placeText(place: ApiPlace): string {
  return place.kind === "socket" ? place.path : place.base;
}

/** The system's own word for what went wrong, e.g. ECONNREFUSED or UNABLE_TO_VERIFY_LEAF_SIGNATURE. */
function reason(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  return code ?? message ?? "no reason given";
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new CliError("CLI_API_UNREACHABLE", `an answer has at most ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function problemAsError(value: unknown): RemoteError | CliError {
  const { code, detail, hint, retryable, fault } = (value ?? {}) as Partial<Record<string, string | boolean>>;
  if (typeof code !== "string" || typeof detail !== "string") {
    return new CliError("CLI_API_UNREACHABLE", "what answers there is not a local API");
  }
  return new RemoteError({
    code,
    message: detail,
    status: 0,
    retryable: retryable === true,
    fault: fault === "caller" || fault === "operator" || fault === "peer" ? fault : "environment",
    ...(typeof hint === "string" ? { hint } : {}),
  });
}
