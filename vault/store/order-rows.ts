export interface FleetRunRow {
  run_id: Uint8Array;
  /** running | stopped | done. */
  state: string;
  /** Why it stopped, and at which account; null while it runs. */
  code: string | null;
  stopped_by: string | null;
  /** Orders open at once in one zone. */
  parallel: number;
  /** Seconds that an edge has to begin. */
  within_s: number;
  /** Name of the gateway whose passwords this run replaces, or null. */
  exposed_by: string | null;
  created_at: number;
  finished_at: number | null;
}

export interface FleetMemberRow {
  run_id: Uint8Array;
  place: number;
  account_id: Uint8Array;
  canary: number;
  /** The order under way or last given; null while it waits. */
  order_id: Uint8Array | null;
  /** Why no order could be given, or null. */
  code: string | null;
  /** Orders given so far. */
  rounds: number;
}

export interface OrderRow {
  order_id: Uint8Array;
  account_id: Uint8Array;
  /** verify | rotate. */
  action: string;
  /** One of orderCauses. */
  cause: string;
  /** 1 where it holds outside the device's windows too. */
  now: number;
  not_before: number;
  not_after: number;
  /** open | done. */
  state: string;
  outcome: string | null;
  code: string | null;
  created_at: number;
  finished_at: number | null;
  /** The lease that it ends, or null. */
  lease_id: Uint8Array | null;
}
