import { asBytesUpTo, asText, asTuple, decodeTcbor, encodeTcbor, TcborError } from "../../protocol/base/index.ts";
import { LinkError } from "./errors.ts";
import { maxJoinAnswerBytes } from "./limits.ts";

/** What crosses a join connection: one request, any number of `wait`, one answer or refusal. */
export type JoinMessage =
  | { readonly kind: "request"; readonly carrier: Uint8Array }
  | { readonly kind: "answer"; readonly carrier: Uint8Array }
  /** A code of the answering node's or the vault's. */
  | { readonly kind: "refusal"; readonly code: string }
  /** The answer takes longer; the connection lives. */
  | { readonly kind: "wait" };

const magic = "tidegate-join/1";
const kinds = ["request", "answer", "refusal", "wait"] as const;

/** `["tidegate-join/1", kind, carrier | code | null]`. */
export function encodeJoinMessage(message: JoinMessage): Uint8Array {
  const number = kinds.indexOf(message.kind);
  if (message.kind === "wait") return encodeTcbor([magic, number, null]);
  return encodeTcbor([magic, number, message.kind === "refusal" ? message.code : message.carrier]);
}

/** Throws LINK_JOIN_MALFORMED. */
export function decodeJoinMessage(bytes: Uint8Array): JoinMessage {
  try {
    const [first, number, value] = asTuple(decodeTcbor(bytes), "join", 3);
    const kind = first === magic && typeof number === "number" ? kinds[number] : undefined;
    if (kind === "request" || kind === "answer") {
      return { kind, carrier: asBytesUpTo(value, "join.carrier", maxJoinAnswerBytes) };
    }
    if (kind === "wait" && value === null) return { kind };
    if (kind === "refusal") {
      const code = asText(value, "join.code", 64);
      if (/^[A-Z][A-Z0-9_]+$/.test(code)) return { kind, code };
    }
  } catch (cause) {
    if (!(cause instanceof TcborError)) throw cause;
    throw new LinkError("LINK_JOIN_MALFORMED", "not a join message", { cause });
  }
  throw new LinkError("LINK_JOIN_MALFORMED", "not a join message");
}
