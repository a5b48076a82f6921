import { ApiError } from "./errors.ts";
import { apiLimits } from "./limits.ts";

/** What a read asks for beside its path. */
export interface ReadQuery {
  /** Also what else may be live. */
  readonly alternates: boolean;
  /** Only another version than this one. */
  readonly after: string | null;
  /** How long it may take to come. */
  readonly waitMs: number;
}

const plain: ReadQuery = { alternates: false, after: null, waitMs: 0 };
const version = /^\d{1,16}\.\d{1,16}$/;
const milliseconds = /^\d{1,9}$/;

/** Path and query of a read; what stands behind `?` is parsed only where there is something. Throws API_QUERY_INVALID. */
export function parseRead(target: string): { readonly path: string; readonly query: ReadQuery } {
  const at = target.indexOf("?");
  if (at < 0) return { path: target, query: plain };
  return { path: target.slice(0, at), query: parseQuery(target.slice(at + 1)) };
}

function parseQuery(text: string): ReadQuery {
  const given = new Map<string, string>();
  for (const part of text.split("&")) {
    const [name = "", value = ""] = part.split("=", 2);
    if (given.has(name)) throw invalid(`${name} stands twice`);
    given.set(name, value);
  }
  const { alternates, after, waitMs, ...others } = Object.fromEntries(given);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid("it takes alternates, after and waitMs");
  if (alternates !== undefined && alternates !== "1") throw invalid("alternates is 1, or not there");
  if (after !== undefined && !version.test(after)) throw invalid("after is a version, such as 1.4");
  if (waitMs !== undefined && (after === undefined || !milliseconds.test(waitMs) || Number(waitMs) > apiLimits.waitMs))
    throw invalid(`waitMs is a number up to ${apiLimits.waitMs}, beside after`);
  if (alternates !== undefined && after !== undefined) throw invalid("alternates and after do not go together");
  return { alternates: alternates !== undefined, after: after ?? null, waitMs: Number(waitMs ?? 0) };
}

function invalid(why: string): ApiError {
  return new ApiError("API_QUERY_INVALID", `not a query of this call: ${why}`);
}
