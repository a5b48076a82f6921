import { basename, dirname } from "node:path";

/** What the name of an export says: `<node id>/<serial>-<first entry>-<size>`. */
export interface CopyName {
  /** Base32; null where the folder around it is not named by a node. */
  readonly node: string | null;
  readonly serial: number;
  /** How many entries the log had when it was copied. */
  readonly size: number;
}

const pattern = /^(0|[1-9][0-9]{0,15})-(?:0|[1-9][0-9]{0,15})-([1-9][0-9]{0,15})$/;
const nodeId = /^[a-z2-7]{32}$/;

/** Reads the last two names of `path`; null where they are not those of an export. */
export function copyNameOf(path: string): CopyName | null {
  const [, serial, size] = pattern.exec(basename(path)) ?? [];
  if (serial === undefined || size === undefined) return null;
  const around = basename(dirname(path));
  return { node: nodeId.test(around) ? around : null, serial: Number(serial), size: Number(size) };
}
