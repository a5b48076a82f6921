import { parentPort, workerData } from "node:worker_threads";
import { findBug, mostSeeds, plantedBugs } from "./planted.ts";
import { Rig } from "./rig.ts";
import type { BugShare, Hunt, WorkerShare } from "./run-seeds.ts";

if (parentPort !== null) {
  const share = workerData as WorkerShare | BugShare;
  const rig = await Rig.build();
  if ("bugsFrom" in share) {
    for (const [i, planted] of plantedBugs.entries()) {
      if (i % share.stride !== share.bugsFrom) continue;
      const hunt: Hunt = { bug: planted.bug, found: await findBug(rig, planted, mostSeeds) };
      parentPort.postMessage(hunt);
    }
  } else {
    for (let seed = share.from; seed < share.to; seed += share.stride) parentPort.postMessage(await rig.run(seed));
  }
}
