import { createHmac } from "node:crypto";
import { encodeTcbor } from "../base/index.ts";
import { type Fields, fieldsToTcbor } from "./fields.ts";

/**
 * HMAC-SHA-256(the account's 32-byte fingerprint key, TCBOR of the fields): tells two values of one account apart without
 * giving a thief of logs anything to guess against.
 */
export function fingerprintOf(fingerprintKey: Uint8Array, fields: Fields): Uint8Array {
  const encoded = encodeTcbor(fieldsToTcbor(fields));
  const fingerprint = createHmac("sha256", fingerprintKey).update(encoded).digest();
  encoded.fill(0);
  return new Uint8Array(fingerprint);
}
