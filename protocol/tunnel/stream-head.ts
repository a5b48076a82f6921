import { asBytes, asList, asTuple, asUint, type Tcbor } from "../base/index.ts";
import { bundleIdLength, nodeIdLength } from "./limits.ts";

/**
 * How far one stream has come on the side that tells it. A stream is named by its node, the end that is not the vault;
 * a side tells the heads of the streams that flow *towards* it, so the direction needs no field.
 */
export interface StreamHead {
  /** 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly epoch: number;
  /** Highest item held or applied without a gap; 0 = none yet. */
  readonly seq: number;
  /** Id of that item, 32 bytes; zeros at seq 0. */
  readonly id: Uint8Array;
}

/** The wire form of heads: `[[nodeId, epoch, seq, id], …]`. */
export function headsToTcbor(heads: readonly StreamHead[]): Tcbor {
  return heads.map((head) => [head.nodeId, head.epoch, head.seq, head.id]);
}

/** Inverse of {@link headsToTcbor}; throws TCBOR_SHAPE where there are more than `max`. */
export function headsFromTcbor(value: Tcbor | undefined, at: string, max: number): StreamHead[] {
  return asList(value, at, max).map((item, index) => {
    const here = `${at}[${index}]`;
    const [nodeId, epoch, seq, id] = asTuple(item, here, 4);
    return {
      nodeId: asBytes(nodeId, `${here}.nodeId`, nodeIdLength),
      epoch: asUint(epoch, `${here}.epoch`),
      seq: asUint(seq, `${here}.seq`),
      id: asBytes(id, `${here}.id`, bundleIdLength),
    };
  });
}
