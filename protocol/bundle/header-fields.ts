import { asBytes, assert, asTuple, asUint, orNull, type Tcbor, TcborError } from "../base/index.ts";

/** Which way an item travels. Its envelope's type says the same. */
export const direction = { down: 0, up: 1 } as const;
export type Direction = (typeof direction)[keyof typeof direction];

/** Whether an item changes a state or replaces it. */
export const bundleKind = { delta: 0, snapshot: 1 } as const;
export type BundleKind = (typeof bundleKind)[keyof typeof bundleKind];

/** The newest root document that the sender holds. */
export interface RootHead {
  readonly version: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** A place in a stream and the item that stands there. */
export interface StreamHead {
  readonly epoch: number;
  readonly seq: number;
  /** 32 bytes, the envelope's id. */
  readonly id: Uint8Array;
}

/** Head of an audit log. */
export interface AuditHead {
  readonly serial: number;
  /** Number of leaves. */
  readonly size: number;
  /** 32 bytes, RFC 6962. */
  readonly root: Uint8Array;
}

/** When an item was issued, seconds since 1970. The vault knows the time (`hi` = `lo`); a node may know a lower bound only. */
export interface IssuedAt {
  readonly lo: number;
  readonly hi: number | null;
}

/** Counters by which the vault tells a cloned node; each is persisted before it is used. */
export interface BootCounters {
  readonly joinCounter: number;
  readonly bootCounter: number;
}

const at = "header";

export function rootToTcbor(root: RootHead): Tcbor {
  return [root.version, root.id];
}

export function rootFromTcbor(value: Tcbor | undefined): RootHead {
  const [version, id] = asTuple(value, `${at}.7`, 2);
  return { version: asUint(version, `${at}.7.version`), id: asBytes(id, `${at}.7.id`, 32) };
}

export function streamHeadToTcbor(head: StreamHead | null): Tcbor {
  return head === null ? null : [head.epoch, head.seq, head.id];
}

export function streamHeadFromTcbor(value: Tcbor | undefined, where: string): StreamHead | null {
  return orNull(value, (head) => {
    const [epoch, seq, id] = asTuple(head, where, 3);
    const read = {
      epoch: asUint(epoch, `${where}.epoch`),
      seq: asUint(seq, `${where}.seq`),
      id: asBytes(id, `${where}.id`, 32),
    };
    if (read.seq === 0) throw new TcborError("TCBOR_SHAPE", `${where}.seq: numbers start at 1`);
    return read;
  });
}

export function auditHeadToTcbor(head: AuditHead | null): Tcbor {
  return head === null ? null : [head.serial, head.size, head.root];
}

export function auditHeadFromTcbor(value: Tcbor | undefined, where: string): AuditHead | null {
  return orNull(value, (head) => {
    const [serial, size, root] = asTuple(head, where, 3);
    return {
      serial: asUint(serial, `${where}.serial`),
      size: asUint(size, `${where}.size`),
      root: asBytes(root, `${where}.root`, 32),
    };
  });
}

/** Down: one number. Up: `[lo, hi or null]`. */
export function issuedAtToTcbor(issuedAt: IssuedAt, way: Direction): Tcbor {
  if (way === direction.up) return [issuedAt.lo, issuedAt.hi];
  assert(issuedAt.hi === issuedAt.lo, "the vault states one time");
  return issuedAt.lo;
}

export function issuedAtFromTcbor(value: Tcbor | undefined, way: Direction): IssuedAt {
  if (way === direction.down) {
    const time = asUint(value, `${at}.12`);
    return { lo: time, hi: time };
  }
  const [first, last] = asTuple(value, `${at}.12`, 2);
  const lo = asUint(first, `${at}.12.lo`);
  const hi = orNull(last, (bound) => asUint(bound, `${at}.12.hi`));
  if (hi !== null && hi < lo) throw new TcborError("TCBOR_SHAPE", `${at}.12: ends before it begins`);
  return { lo, hi };
}

export function bootToTcbor(boot: BootCounters): Tcbor {
  return [boot.joinCounter, boot.bootCounter];
}

export function bootFromTcbor(value: Tcbor | undefined): BootCounters {
  const [join, boot] = asTuple(value, `${at}.18`, 2);
  return { joinCounter: asUint(join, `${at}.18.join`), bootCounter: asUint(boot, `${at}.18.boot`) };
}
