import { hash } from "node:crypto";
import {
  asBytes,
  asText,
  asTuple,
  asUint,
  concat,
  decodeTcbor,
  encodeTcbor,
  fromBase32,
  Secret,
  sameBytes,
  TcborError,
  toBase32,
  utf8,
} from "../base/index.ts";
import { type NodeRole, nodeRole } from "../trust/index.ts";
import { JoinError } from "./join-error.ts";
import { maxAddressBytes, maxCodeText } from "./limits.ts";

/** What the vault hands to the person who sets up a node. Its text is a secret until it is used: it never travels over a wire. */
export interface EnrolmentCode {
  /** 16 bytes, public: names the code in the request. */
  readonly codeId: Uint8Array;
  /** 16 bytes. */
  readonly secret: Secret;
  /** Root that the node pins. */
  readonly rootVersion: number;
  /** 32 bytes. */
  readonly rootId: Uint8Array;
  readonly role: NodeRole;
  /** The node's name, as the vault enrolled it. */
  readonly name: string;
  /** Where to send the request, `host:port`; empty where it goes by removable media. */
  readonly address: string;
}

const version = "tg1";
const checksumBytes = 4;
const groupLength = 5;
const checksumPrefix = concat(utf8("tidegate/1 code"), Uint8Array.of(0));
const addressPattern = /^[\x21-\x7e]*$/;
const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** The code's text: `tg1-` and base32 in groups of five. */
export function encodeEnrolmentCode(code: EnrolmentCode): string {
  const content = code.secret.use((secret) =>
    encodeTcbor([code.codeId, secret, code.rootVersion, code.rootId, code.role, code.name, code.address]),
  );
  const whole = concat(content, checksumOf(content));
  const groups = toBase32(whole).match(new RegExp(`.{1,${groupLength}}`, "g")) ?? [];
  for (const bytes of [content, whole]) bytes.fill(0);
  return [version, ...groups].join("-");
}

/**
 * Reads a code's text; letter case, spaces, line ends and hyphens do not matter. Throws JOIN_CODE_MALFORMED, JOIN_CODE_VERSION,
 * JOIN_CODE_CHECKSUM, none of them with any of the text.
 */
export function parseEnrolmentCode(text: string): EnrolmentCode {
  if (text.length > maxCodeText) throw malformed();
  const letters = text.toLowerCase().replace(/[\s-]/g, "");
  if (!letters.startsWith(version)) {
    if (/^tg[2-9]/.test(letters)) throw new JoinError("JOIN_CODE_VERSION", "enrolment code of a later version of Tidegate");
    throw malformed();
  }
  const whole = fromBase32(letters.slice(version.length));
  if (whole === null || whole.length <= checksumBytes) throw mistyped();
  const content = whole.subarray(0, -checksumBytes);
  try {
    if (!sameBytes(whole.subarray(-checksumBytes), checksumOf(content))) throw mistyped();
    return readContent(content);
  } finally {
    whole.fill(0);
  }
}

function readContent(content: Uint8Array): EnrolmentCode {
  try {
    const fields = asTuple(decodeTcbor(content), "code", 7);
    const secret = asBytes(fields[1], "code.secret", 16);
    const name = asText(fields[5], "code.name", 63);
    const address = asText(fields[6], "code.address", maxAddressBytes);
    if (!namePattern.test(name) || !addressPattern.test(address)) throw malformed();
    const code = {
      codeId: asBytes(fields[0], "code.codeId", 16),
      secret: new Secret(secret),
      rootVersion: asUint(fields[2], "code.rootVersion"),
      rootId: asBytes(fields[3], "code.rootId", 32),
      role: asUint(fields[4], "code.role", nodeRole.edge) as NodeRole,
      name,
      address,
    };
    secret.fill(0);
    return code;
  } catch (cause) {
    if (cause instanceof TcborError) throw malformed();
    throw cause;
  }
}

function checksumOf(content: Uint8Array): Uint8Array {
  return hash("sha256", concat(checksumPrefix, content), "buffer").subarray(0, checksumBytes);
}

function malformed(): JoinError {
  return new JoinError("JOIN_CODE_MALFORMED", "not an enrolment code", {
    hint: "An enrolment code begins with tg1- and is printed by `tidegate vault enroll`.",
  });
}

function mistyped(): JoinError {
  return new JoinError("JOIN_CODE_CHECKSUM", "enrolment code with a mistake in it", {
    hint: "A character is wrong or missing: type or paste the whole code again.",
  });
}
