import { AuditError } from "./errors.ts";
import { decodeLeaf, type Leaf } from "./leaf.ts";
import { maxBootLength, maxCodeLength, maxDetailLength, maxDetails, maxIdLength, maxLeafBytes } from "./limits.ts";

/** What a verifier asks of each of a million leaves. */
export interface ScannedLeaf extends Pick<Leaf, "log" | "index" | "node" | "action"> {
  /** The whole leaf. */
  whole(): Leaf;
}

// The grammar of SPEC.md section 15.1, without escapes and with numbers below 10^15: nearly every leaf. What does not match may still be one.
const uint = "(?:0|[1-9][0-9]{0,14})";
const plain = "[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]";
const kind = "[a-z][a-z0-9-]{0,31}";
const party = `\\{"kind":"${kind}","id":"${plain}{0,${maxIdLength}}"\\}`;
const detail = `"[a-z][A-Za-z0-9]{0,31}":(?:"${plain}{0,${maxDetailLength}}"|${uint}|true|false)`;
const common = new RegExp(
  `^\\{"v":1,"log":(${uint}),"index":(${uint}),"time":\\[(${uint}),(${uint}|null)\\],"wallMs":${uint}` +
    `,"boot":"${plain}{0,${maxBootLength}}","sinceBootMs":${uint},"node":"([a-z2-7]{32})","action":"(${kind}\\.${kind})"` +
    `,"actor":${party},"subject":${party},"outcome":"(?:ok|denied|failed|unknown)"` +
    `,"code":(?:null|"[A-Z][A-Z0-9_]{0,${maxCodeLength - 1}}"),"details":\\{(${detail}(?:,${detail}){0,${maxDetails - 1}})?\\}\\}$`,
);
const detailName = /"([a-z][A-Za-z0-9]*)":/g;

/** Reads a leaf as far as its place goes; null where the bytes are not exactly a leaf. Accepts what {@link decodeLeaf} accepts. */
export function scanLeaf(bytes: Uint8Array): ScannedLeaf | null {
  if (bytes.length > maxLeafBytes) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const [, log, index, lo, hi, node, action, details] = common.exec(text) ?? [];
  const isCommon = node !== undefined && action !== undefined && isOrdered(lo, hi) && areAscending(details ?? "");
  if (isCommon) return { log: Number(log), index: Number(index), node, action, whole: () => decodeLeaf(bytes) };
  const leaf = leafOrNull(bytes);
  return leaf === null ? null : { ...leaf, whole: () => leaf };
}

function isOrdered(lo: string | undefined, hi: string | undefined): boolean {
  return hi === "null" || Number(hi) >= Number(lo);
}

function areAscending(details: string): boolean {
  let before = "";
  for (const [, name = ""] of details.matchAll(detailName)) {
    if (name <= before) return false;
    before = name;
  }
  return true;
}

function leafOrNull(bytes: Uint8Array): Leaf | null {
  try {
    return decodeLeaf(bytes);
  } catch (error) {
    if (error instanceof AuditError) return null;
    throw error;
  }
}
