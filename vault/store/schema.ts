/**
 * The vault's tables. Columns are text, integer (milliseconds, numbers up to 2^53, 0 or 1 for flags) and blob only, so that the
 * same queries run on PostgreSQL. `*_sealed` columns are sealed under the master key with their place bound in.
 */
export interface VaultTables {
  migrations: { number: number; name: string; applied_at: number };
  settings: { name: string; value: Uint8Array };
  secrets: { name: string; value_sealed: Uint8Array };
  statements: { kind: string; subject: Uint8Array; serial: number; statement: Uint8Array };
  zones: { name: string; created_at: number };
  nodes: NodeRow;
  codes: CodeRow;
  certificates: { node_id: Uint8Array; place: number; certificate: Uint8Array };
  streams: StreamRow;
  stream_entries: { node_id: Uint8Array; type: number; id: Uint8Array; entry_sealed: Uint8Array };
  held_reports: { node_id: Uint8Array; id: Uint8Array; carrier: Uint8Array };
  outbox: OutboxRow;
  devices: DeviceRow;
  accounts: AccountRow;
  credentials: CredentialRow;
  models: ModelRow;
  applications: ApplicationRow;
  grants: { app_id: Uint8Array; pattern: string };
  orders: OrderRow;
  groups: { group_id: Uint8Array; name: string; zone: string; created_at: number };
  consumers: { account_id: Uint8Array; node_id: Uint8Array; epoch: number; number: number };
  escrows: EscrowRow;
  probes: ProbeRow;
  alarms: AlarmRow;
  audit_leaves: { log: number; place: number; leaf: Uint8Array };
  audit_tiles: { log: number; level: number; place: number; hashes: Uint8Array };
  audit_marks: { log: number; name: string; value: Uint8Array };
  leases: { name: string; holder: string; until_ms: number };
  access_leases: AccessLeaseRow;
  freshness_rules: FreshnessRuleRow;
  fleet_runs: FleetRunRow;
  fleet_members: FleetMemberRow;
  /** Versions that a gateway was ever given. */
  exposures: { node_id: Uint8Array; account_id: Uint8Array; epoch: number; number: number };
}

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
