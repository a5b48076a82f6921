import { asTuple, asUint, type Tcbor } from "../base/index.ts";

/** Version of an entry or a credential: the vault epoch it was issued in, then a number that only rises. */
export interface VersionIndex {
  readonly epoch: number;
  readonly number: number;
}

/** Below zero where `a` is older than `b`, zero where equal, above zero where newer. */
export function compareIndex(a: VersionIndex, b: VersionIndex): number {
  return a.epoch - b.epoch || a.number - b.number;
}

/** `[epoch, number]`. */
export function indexToTcbor(index: VersionIndex): Tcbor {
  return [index.epoch, index.number];
}

/** Inverse of {@link indexToTcbor}; throws TCBOR_SHAPE naming `at`. */
export function indexFromTcbor(value: Tcbor | undefined, at: string): VersionIndex {
  const [epoch, number] = asTuple(value, at, 2);
  return { epoch: asUint(epoch, `${at}.epoch`), number: asUint(number, `${at}.number`) };
}
