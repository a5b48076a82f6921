export interface DeviceRow {
  device_id: Uint8Array;
  name: string;
  zone: string;
  model: string;
  host: string;
  port: number;
  /** JSON array of [key, value]. */
  settings: string;
  identity: string | null;
  /** IANA name. */
  time_zone: string;
  /** JSON array of [days, start minute, minutes]. */
  windows: string;
  /** 1 while an operator holds it. */
  held: number;
  created_at: number;
}

export interface AccountRow {
  account_id: Uint8Array;
  device_id: Uint8Array;
  /** zone/device/account. */
  path: string;
  username: string;
  /** never | on-demand | interval. */
  rotate: string;
  interval_s: number | null;
  windowless: number;
  fingerprint_key_sealed: Uint8Array;
  /** The ledger's epoch and the number of the next version to issue; taken in the transaction that stores the value. */
  epoch: number;
  next_number: number;
  /** 1 after a restore until the node's escrow was read: nothing is issued. */
  unsettled: number;
  /** Node and leaf of the last rotation report that was taken in: an older one that is sent again says nothing. */
  reported_by: Uint8Array | null;
  reported_serial: number | null;
  reported_index: number | null;
  /** What the edge last said about the account, and when that was taken in; null until it says anything. */
  reported_state: string | null;
  reported_code: string | null;
  reported_at: number | null;
  break_glass: number;
  /** 16 bytes, shared by the accounts that change together. */
  group_id: Uint8Array | null;
  /** The account that sets this one's password where no candidate works. */
  reconcile_by: Uint8Array | null;
  /** Sum of rotateOnBit. */
  rotate_on: number;
  /** ack-first | none: whether the gateways that serve the account hold a value before its edge may have it. */
  consumers: string;
  created_at: number;
}

export interface CredentialRow {
  account_id: Uint8Array;
  epoch: number;
  number: number;
  /** The ledger's status: issued | acknowledged | rejected | superseded. Rows are never deleted. */
  status: string;
  /** set (by an operator) | generated. */
  source: string;
  fields_sealed: Uint8Array;
  fingerprint: Uint8Array;
  created_at: number;
  proven_at: number | null;
  /** Name of the node that proved it last, or "vault" for a login from the vault's machine. */
  proven_by: string | null;
  /** When its status became what it is; null while it is the first. */
  status_at: number | null;
}

export interface ProbeRow {
  account_id: Uint8Array;
  spent: number;
  last_at: number;
  /** Since when the edge is taken for gone: when somebody first asked, or earlier where the operator says so. */
  edge_off_at: number;
}

export interface ModelRow {
  /** 16 bytes. */
  id: Uint8Array;
  name: string;
  /** Null for a model that every version of Tidegate carries: it need not travel. */
  yaml: string | null;
  /** JSON of the constraints of its secret fields. */
  constraints: string;
  updated_at: number;
}

export interface ApplicationRow {
  app_id: Uint8Array;
  name: string;
  /** The one node that serves it; null for every node that its grants reach. */
  node_id: Uint8Array | null;
  token_hash: Uint8Array | null;
  uid: number | null;
  disabled: number;
  created_at: number;
  /** 1 where a person reads with its token. */
  person: number;
}

/** An application's grant with an end. */

export interface AccessLeaseRow {
  lease_id: Uint8Array;
  app_id: Uint8Array;
  pattern: string;
  /** Seconds since 1970, both included. */
  not_before: number;
  not_after: number;
  /** When an operator ended it early, ms; null where nobody did. */
  revoked_at: number | null;
  created_at: number;
}

/** How long what a pattern covers may be read without the vault. */

export interface FreshnessRuleRow {
  rule_id: Uint8Array;
  pattern: string;
  /** Seconds; null for never. */
  stale_after_s: number | null;
  /** serve | warn | deny. */
  when_stale: string;
  ttl_s: number | null;
  /** Covers the devices of this model only; null for all. */
  model: string | null;
  /** 1 where nodes hold the values in memory only. */
  memory_only: number;
  created_at: number;
}
