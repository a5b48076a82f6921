/** Where a process of the rig kills itself: when it passes this failpoint, after having passed it `skip` times. */
export interface Armed {
  readonly failpoint: string;
  readonly skip: number;
}

/** Arms a process of the rig, or disarms it. */
export interface ArmMessage {
  readonly arm: Armed | null;
}

/** What a process of the rig tells its parent. */
export type NodeAnswer = "ready" | "armed";
