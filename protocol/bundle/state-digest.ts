import { createHash } from "node:crypto";
import { concat, utf8 } from "../base/index.ts";
import type { Entry } from "./entry.ts";
import { bundleLimits } from "./limits.ts";

/** A recipient's state: its entries by {@link Entry.key}. Never changed in place. */
export type EntryMap = ReadonlyMap<string, Entry>;

const prefix = concat(utf8("tidegate/1 state"), Uint8Array.of(0));
/** Entries are gathered before hashing: ten thousand small updates cost more than the hash itself. */
const stagingBytes = 4 * bundleLimits.entryBytes;

/** A state is asked for its digest again when the next one is planned or applied. */
const digests = new WeakMap<EntryMap, Uint8Array>();

/** SHA-256 over the prefix and, by (type, id), each entry's length (four bytes, big endian) and bytes. Stands only inside a seal. */
export function stateDigest(entries: EntryMap): Uint8Array {
  const digest = digests.get(entries) ?? digestOf(entries);
  digests.set(entries, digest);
  return digest.slice();
}

function digestOf(entries: EntryMap): Uint8Array {
  const hash = createHash("sha256").update(prefix);
  const staging = Buffer.alloc(stagingBytes);
  let length = 0;
  for (const key of [...entries.keys()].sort()) {
    const bytes = (entries.get(key) as Entry).bytes;
    if (length + 4 + bytes.length > stagingBytes) {
      hash.update(staging.subarray(0, length));
      length = 0;
    }
    length = staging.writeUInt32BE(bytes.length, length);
    staging.set(bytes, length);
    length += bytes.length;
  }
  hash.update(staging.subarray(0, length));
  // Entries hold secrets.
  staging.fill(0);
  return new Uint8Array(hash.digest());
}

/** Entries by key. Two entries of one key: the later one stays. */
export function entryMap(entries: Iterable<Entry>): EntryMap {
  const map = new Map<string, Entry>();
  for (const entry of entries) map.set(entry.key, entry);
  return map;
}

/** The state of a recipient that has nothing, and of every report stream. */
export const emptyState: EntryMap = new Map();

/** {@link stateDigest} of {@link emptyState}. */
export function emptyDigest(): Uint8Array {
  return stateDigest(emptyState);
}
