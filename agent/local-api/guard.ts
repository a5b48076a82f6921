import type { IncomingMessage } from "node:http";
import { ApiError } from "./errors.ts";

const nativePrefix = "/v1/";

/**
 * What every request must pass before anything is looked up: browsers and server-side request forgery reach loopback too, but they
 * cannot set this header, or they say where they come from. Throws API_ORIGIN_REFUSED, API_HOST_REFUSED, API_HEADER_MISSING.
 */
export function guard(request: IncomingMessage, hosts: ReadonlySet<string>): void {
  const { headers, url } = request;
  if (headers.origin !== undefined) throw new ApiError("API_ORIGIN_REFUSED", "requests from web pages are refused");
  const { host } = headers;
  // As most callers write it; only another spelling is folded.
  if (host === undefined || !(hosts.has(host) || hosts.has(host.toLowerCase()))) {
    throw new ApiError("API_HOST_REFUSED", "the Host header does not name this listener");
  }
  if (url?.startsWith(nativePrefix) && headers["x-tidegate-request"] !== "true" && headers["x-vault-request"] !== "true") {
    throw new ApiError("API_HEADER_MISSING", "the header X-Tidegate-Request: true is missing");
  }
}

/** The Host values of a listener: its names and addresses, with and without the port. */
export function hostNames(names: readonly string[], port: number | null): Set<string> {
  const hosts = new Set<string>();
  for (const name of names) {
    const host = name.includes(":") && !name.startsWith("[") ? `[${name}]` : name.toLowerCase();
    hosts.add(host);
    if (port !== null) hosts.add(`${host}:${port}`);
  }
  return hosts;
}
