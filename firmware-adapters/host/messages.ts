import type { DeviceJob, Operation, Outcome, PushJob } from "../contract/index.ts";
import type { AdapterName } from "../registry/index.ts";

/** From the edge's process to the adapter's: one job, sent only after `ready` and after the answer to the one before. */
export interface JobMessage {
  readonly adapter: AdapterName;
  readonly operation: Operation;
  readonly job: DeviceJob | PushJob;
}

/** From the adapter's process: first `ready`, then an outcome for each job. */
export type AnswerMessage = { readonly ready: true } | { readonly outcome: Outcome };
