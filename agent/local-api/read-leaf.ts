import type { FoldedEvent, ReadEvent as ReadLeaf } from "../audit/index.ts";
import type { ReadEvent } from "./contracts.ts";

/** Leaves of reads that were answered: their events come again and again, and equal leaves are then one object. */
const answered = new WeakMap<ReadEvent, ReadLeaf>();

/** A caller without a valid token: what is asked for says nothing then, and may be anything. `self` is the node's id as the log writes it. */
export function deniedLogin({ address }: ReadEvent, self: string): FoldedEvent {
  return {
    action: "login.deny",
    actor: { kind: "application", id: "unknown" },
    subject: { kind: "node", id: self },
    outcome: "denied",
    code: "API_UNAUTHENTICATED",
    details: { method: "token", ...(address === undefined ? {} : { address }) },
  };
}

/** An application's connection, by its id. */
export function acceptedLogin(application: string, self: string): FoldedEvent {
  return {
    action: "login.accept",
    actor: { kind: "application", id: application },
    subject: { kind: "node", id: self },
    outcome: "ok",
    details: { method: "token" },
  };
}

/** A read of a known application as the audit log keeps it; a path that is none is left out. */
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
    code: denied ? (event.code ?? "API_REFUSED") : null,
    ...(event.version === null ? {} : { details: { version: event.version } }),
  };
}
