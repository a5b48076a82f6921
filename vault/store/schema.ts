import type { AlarmRow, CodeRow, EscrowRow, NodeRow, OutboxRow, StreamRow } from "./node-rows.ts";
import type { FleetMemberRow, FleetRunRow, OrderRow } from "./order-rows.ts";
import type {
  AccessLeaseRow,
  AccountRow,
  ApplicationRow,
  CredentialRow,
  DeviceRow,
  FreshnessRuleRow,
  ModelRow,
  ProbeRow,
} from "./plant-rows.ts";

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
