export interface OutboxRow {
  node_id: Uint8Array;
  epoch: number;
  seq: number;
  id: Uint8Array;
  carrier: Uint8Array;
  created_at: number;
  /** 0 for a bundle that only acknowledges a report: no node acknowledges that one by itself, and nothing waits for it. */
  changes: number;
}

export interface NodeRow {
  node_id: Uint8Array;
  name: string;
  /** 1 gateway, 2 edge. */
  role: number;
  zone: string;
  /** The gateway that keeps its mailbox, or null for a gateway. */
  via: Uint8Array | null;
  /** Where others dial it, host:port; null where nobody does. */
  address: string | null;
  /** active | held (clone or fork seen: no new value, reads go on) | behind (our own store went back: nothing is issued) | replaced. */
  state: string;
  joined_at: number;
  last_heard_at: number | null;
  join_counter: number;
  boot_counter: number;
  /** Alarms of this node that were not kept: it has had more than a node may have. */
  alarms_dropped: number;
}

export interface CodeRow {
  code_id: Uint8Array;
  secret_sealed: Uint8Array;
  name: string;
  role: number;
  zone: string;
  via: Uint8Array | null;
  address: string | null;
  /** The root that the code pins. */
  root_version: number;
  root_id: Uint8Array;
  /** JSON array: names and addresses for the node's certificate. */
  hosts: string;
  created_at: number;
  expires_at: number;
  burned_at: number | null;
  /** SHA-256 of the join request that burned it. */
  request_hash: Uint8Array | null;
  answer: Uint8Array | null;
}

export interface StreamRow {
  node_id: Uint8Array;
  /** Written by each transaction that reads the row to change it: the portable row lock. */
  turn: number;
  /** Sending end of the bundles, receiving end of the reports, as protocol/bundle encodes them. */
  sender: Uint8Array;
  receiver: Uint8Array;
  /** The newest nonce that an issued bundle answered. */
  answered: Uint8Array | null;
  /** Version of the newest revoked list that an issued bundle brought; 0 for none. */
  revoked_sent: number;
  /** Head of the vault's own audit log that the node last proved. */
  our_head: Uint8Array | null;
  /** Stands while a change waits to be issued; null where none does. */
  put_off: Uint8Array | null;
}

export interface EscrowRow {
  node_id: Uint8Array;
  epoch: number;
  seq: number;
  received_at: number;
  context: Uint8Array;
  escrow: Uint8Array;
  /** 1 once the recovery key has opened it and the ledger knows what it holds. */
  learned: number;
}

/** Attempts that were made from the vault's machine for an account whose edge is gone. */

export interface AlarmRow {
  alarm_id: Uint8Array;
  node_id: Uint8Array | null;
  code: string;
  subject: string;
  /** When it was last raised. */
  at: number;
  /** How often it was raised since it stands. */
  count: number;
  /** When a login proved the account that it is about; null while it stands. */
  resolved_at: number | null;
}
