import { assert } from "../base/index.ts";
import { AuditError } from "./errors.ts";
import { maxOriginBytes } from "./limits.ts";

/** Which log: of which node under which trust domain, and the how manieth of it. */
export interface LogName {
  /** The root document's. */
  readonly trustDomain: string;
  /** 20 bytes in base32, lower case. */
  readonly node: string;
  /** 0 for a node's first log; one more for each that had to be opened anew. */
  readonly serial: number;
}

const originPattern = /^([a-z0-9.-]{1,200})\/tidegate\/1\/log\/([a-z2-7]{32})\/(0|[1-9][0-9]{0,15})$/;

/** Origin line of a log's checkpoints, and the name of its static log key. */
export function originOf(name: LogName): string {
  const origin = `${name.trustDomain}/tidegate/1/log/${name.node}/${name.serial}`;
  assert(originPattern.test(origin) && origin.length <= maxOriginBytes, `${origin} is no log origin`);
  return origin;
}

/** Inverse of {@link originOf}; throws AUDIT_ORIGIN_MALFORMED. */
export function parseOrigin(origin: string): LogName {
  const [, trustDomain, node, serial] = originPattern.exec(origin) ?? [];
  if (trustDomain === undefined || node === undefined || serial === undefined || !Number.isSafeInteger(Number(serial))) {
    throw new AuditError("AUDIT_ORIGIN_MALFORMED", "not the origin of a log of ours");
  }
  return { trustDomain, node, serial: Number(serial) };
}

/** Name of the key that signs epoch `epoch` of the log. */
export function epochKeyName(origin: string, epoch: number): string {
  return `${origin}/epoch/${epoch}`;
}

/** Epoch of a key's name, or null where it is not an epoch key of this log. */
export function epochOfKeyName(origin: string, name: string): number | null {
  if (!name.startsWith(`${origin}/epoch/`)) return null;
  const text = name.slice(origin.length + "/epoch/".length);
  return /^(0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}
