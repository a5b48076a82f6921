import type { ReadEvent as ReadLeaf } from "../audit/index.ts";
import type { ReadEvent } from "./contracts.ts";

/** Leaves of reads that were answered: their events come again and again, and equal leaves are then one object. */
const answered = new WeakMap<ReadEvent, ReadLeaf>();

/** A read as the audit log keeps it: a caller without a valid token is `unknown`, a path that is none is left out. */
export function readLeaf(event: ReadEvent): ReadLeaf {
  const known = answered.get(event);
  if (known !== undefined) return known;
  const leaf = makeLeaf(event);
  if (event.outcome === "read") answered.set(event, leaf);
  return leaf;
}

function makeLeaf(event: ReadEvent): ReadLeaf {
  const denied = event.outcome === "refused";
  return {
    action: "credential.read",
    actor: { kind: "application", id: event.application ?? "unknown" },
    subject: { kind: "account", id: event.path === "" ? "none" : event.path },
    outcome: denied ? "denied" : "ok",
    code: denied ? (event.code ?? (event.application === null ? "API_UNAUTHENTICATED" : "API_REFUSED")) : null,
    ...(event.version === null ? {} : { details: { version: event.version } }),
  };
}
