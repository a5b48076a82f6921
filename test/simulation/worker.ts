import { parentPort, workerData } from "node:worker_threads";
import { Rig } from "./rig.ts";

/** Every `stride`th seed from `from` on, below `to`. */
export interface WorkerShare {
  readonly from: number;
  readonly to: number;
  readonly stride: number;
}

if (parentPort !== null) {
  const { from, to, stride } = workerData as WorkerShare;
  const rig = await Rig.build();
  for (let seed = from; seed < to; seed += stride) parentPort.postMessage(await rig.run(seed));
}
