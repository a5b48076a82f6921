import type { Trick } from "./device-kind.ts";
import type { DiskFault } from "./disk.ts";
import type { Mangling } from "./network.ts";

/** Everything that the world does to the nodes; a run that has seen one of them not once has not looked. */
export const faults = {
  crash: 8,
  "crash at a commit": 8,
  "crash at a failpoint": 6,
  "power cut": 4,
  disk: 3,
  "no space for a rotation": 2,
  cut: 5,
  "one way": 5,
  "black hole": 4,
  slow: 3,
  mangle: 4,
  "wall clock": 2,
  "device in a mood": 8,
  "device reboots": 4,
  "device reboots after a change": 3,
  "device reset": 2,
  "device restored": 2,
  "device refuses values": 2,
} as const;
/** One of {@link faults}. */
export type Fault = keyof typeof faults;

/** What comes of a change that nobody is told of is worth most seeds. */
export const trickWeights: Readonly<Record<Trick, number>> = {
  unreachable: 2,
  lost: 2,
  "reply lost": 4,
  slow: 2,
  late: 5,
  queued: 4,
  twice: 4,
  denied: 4,
  "save lost": 4,
};

/** What a disk may do to a commit. */
export const diskFaults: readonly DiskFault[] = ["no space", "io, lost", "io, kept"];
/** What may become of a message. */
export const manglings: readonly Mangling[] = ["duplicate", "swap", "flip"];
