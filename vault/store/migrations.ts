import { type Kysely, sql } from "kysely";
import type { VaultTables } from "./schema.ts";

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly up: (db: Kysely<VaultTables>) => Promise<void>;
}

/** All migrations in order. A published one is never edited: a change is a new one. */
export const migrations: readonly Migration[] = [
  { number: 1, name: "first tables", up: (db) => run(db, firstTables) },
  { number: 2, name: "what an edge last said about an account", up: (db) => run(db, reportedState) },
  { number: 3, name: "which bundles change something", up: (db) => run(db, bundleChanges) },
  { number: 4, name: "windows, holds, groups and the causes of orders", up: (db) => run(db, rotationRules) },
  { number: 5, name: "which revoked list a node was sent", up: (db) => run(db, revokedSent) },
  { number: 6, name: "fleet rotations, and what each gateway was given", up: (db) => run(db, fleetTables) },
  { number: 7, name: "alarms that end", up: (db) => run(db, alarmsEnd) },
  { number: 8, name: "remote consumers' policy, and groups by name", up: (db) => run(db, consumersAndGroups) },
  { number: 9, name: "attempts of recovery, who proved a value, and escrows that were learned", up: (db) => run(db, recovery) },
  { number: 10, name: "persons and leases", up: (db) => run(db, personsAndLeases) },
  { number: 11, name: "how long values may be read without the vault", up: (db) => run(db, freshness) },
  { number: 12, name: "changes that wait to be issued, and what large plants look up", up: (db) => run(db, largePlants) },
  { number: 13, name: "rules by model, and values in memory only", up: (db) => run(db, memoryOnly) },
];

/** Statements that SQLite and PostgreSQL both take; `blob` is a domain over bytea there, `integer` over bigint. */
const firstTables = [
  "create table settings (name text primary key, value blob not null)",
  "create table secrets (name text primary key, value_sealed blob not null)",
  `create table statements (kind text not null, subject blob not null, serial integer not null, statement blob not null,
    primary key (kind, subject, serial))`,
  "create table zones (name text primary key, created_at integer not null)",
  `create table nodes (node_id blob primary key, name text not null, role integer not null, zone text not null references zones (name),
    via blob, address text, state text not null, joined_at integer not null, last_heard_at integer, join_counter integer not null,
    boot_counter integer not null)`,
  "create unique index nodes_active_name on nodes (name) where state <> 'replaced'",
  `create table codes (code_id blob primary key, secret_sealed blob not null, name text not null, role integer not null,
    zone text not null references zones (name), via blob, address text, root_version integer not null,
    root_id blob not null, hosts text not null, created_at integer not null, expires_at integer not null,
    burned_at integer, request_hash blob, answer blob)`,
  `create table certificates (node_id blob not null references nodes (node_id), place integer not null, certificate blob not null,
    primary key (node_id, place))`,
  `create table streams (node_id blob primary key references nodes (node_id), turn integer not null, sender blob not null,
    receiver blob not null, answered blob, our_head blob)`,
  `create table held_reports (node_id blob not null references nodes (node_id), id blob not null, carrier blob not null,
    primary key (node_id, id))`,
  `create table stream_entries (node_id blob not null references nodes (node_id), type integer not null, id blob not null,
    entry_sealed blob not null, primary key (node_id, type, id))`,
  `create table outbox (node_id blob not null references nodes (node_id), epoch integer not null, seq integer not null, id blob not null,
    carrier blob not null, created_at integer not null, primary key (node_id, epoch, seq))`,
  `create table models (id blob primary key, name text not null unique, yaml text, constraints text not null,
    updated_at integer not null)`,
  `create table devices (device_id blob primary key, name text not null, zone text not null references zones (name),
    model text not null references models (name), host text not null, port integer not null, settings text not null, identity text,
    created_at integer not null, unique (zone, name))`,
  `create table accounts (account_id blob primary key, device_id blob not null references devices (device_id), path text not null unique,
    username text not null, rotate text not null, interval_s integer, windowless integer not null,
    fingerprint_key_sealed blob not null, epoch integer not null, next_number integer not null,
    unsettled integer not null, reported_by blob, reported_serial integer, reported_index integer, created_at integer not null)`,
  `create table credentials (account_id blob not null references accounts (account_id), epoch integer not null, number integer not null,
    status text not null, source text not null, fields_sealed blob not null, fingerprint blob not null, created_at integer not null,
    proven_at integer, primary key (account_id, epoch, number))`,
  "create unique index credentials_acknowledged on credentials (account_id) where status = 'acknowledged'",
  `create table applications (app_id blob primary key, name text not null unique, node_id blob, token_hash blob, uid integer, disabled integer not null,
    created_at integer not null)`,
  "create table grants (app_id blob not null references applications (app_id), pattern text not null, primary key (app_id, pattern))",
  `create table orders (order_id blob primary key, account_id blob not null references accounts (account_id), action text not null,
    not_before integer not null, not_after integer not null, state text not null, outcome text, code text, created_at integer not null,
    finished_at integer)`,
  `create table consumers (account_id blob not null references accounts (account_id), node_id blob not null references nodes (node_id),
    epoch integer not null, number integer not null, primary key (account_id, node_id))`,
  `create table escrows (node_id blob not null references nodes (node_id), epoch integer not null, seq integer not null,
    received_at integer not null, context blob not null, escrow blob not null, primary key (node_id, epoch, seq))`,
  `create table alarms (alarm_id blob primary key, node_id blob, code text not null, subject text not null, at integer not null)`,
  "create table audit_leaves (log integer not null, place integer not null, leaf blob not null, primary key (log, place))",
  `create table audit_tiles (log integer not null, level integer not null, place integer not null, hashes blob not null,
    primary key (log, level, place))`,
  "create table audit_marks (log integer not null, name text not null, value blob not null, primary key (log, name))",
  "create table leases (name text primary key, holder text not null, until_ms integer not null)",
];

const reportedState = [
  "alter table accounts add column reported_state text",
  "alter table accounts add column reported_code text",
  "alter table accounts add column reported_at integer",
];

const bundleChanges = ["alter table outbox add column changes integer not null default 1"];

const rotationRules = [
  "alter table devices add column time_zone text not null default 'UTC'",
  "alter table devices add column windows text not null default '[]'",
  "alter table devices add column held integer not null default 0",
  "alter table accounts add column break_glass integer not null default 0",
  "alter table accounts add column group_id blob",
  "alter table accounts add column reconcile_by blob",
  "alter table accounts add column rotate_on integer not null default 0",
  "alter table orders add column cause text not null default 'operator'",
  "alter table orders add column now integer not null default 0",
];

const revokedSent = ["alter table streams add column revoked_sent integer not null default 0"];

const fleetTables = [
  `create table fleet_runs (run_id blob primary key, state text not null, code text, stopped_by text, parallel integer not null,
    within_s integer not null, exposed_by text, created_at integer not null, finished_at integer)`,
  `create table fleet_members (run_id blob not null references fleet_runs (run_id), place integer not null,
    account_id blob not null references accounts (account_id), canary integer not null, order_id blob, code text,
    rounds integer not null, primary key (run_id, place))`,
  `create table exposures (node_id blob not null, account_id blob not null, epoch integer not null, number integer not null,
    primary key (node_id, account_id, epoch, number))`,
];

const alarmsEnd = [
  "alter table alarms add column count integer not null default 1",
  "alter table alarms add column resolved_at integer",
  "alter table nodes add column alarms_dropped integer not null default 0",
  "create index alarms_of_node on alarms (node_id, resolved_at)",
  "create index alarms_about on alarms (subject, code)",
];

const consumersAndGroups = [
  "alter table accounts add column consumers text not null default 'ack-first'",
  "create table groups (group_id blob primary key, name text not null unique, zone text not null, created_at integer not null)",
];

const personsAndLeases = [
  "alter table applications add column person integer not null default 0",
  "alter table orders add column lease_id blob",
  `create table access_leases (lease_id blob primary key, app_id blob not null references applications (app_id), pattern text not null,
    not_before integer not null, not_after integer not null, revoked_at integer, created_at integer not null)`,
];

const freshness = [
  `create table freshness_rules (rule_id blob primary key, pattern text not null unique, stale_after_s integer, when_stale text not null,
    ttl_s integer, created_at integer not null)`,
];

/** A rule is named by its pattern and its model now: the old table's pattern alone was unique. */
const memoryOnly = [
  `create table freshness_rules_2 (rule_id blob primary key, pattern text not null, model text, stale_after_s integer, when_stale text not null,
    ttl_s integer, memory_only integer not null default 0, created_at integer not null)`,
  `insert into freshness_rules_2 (rule_id, pattern, stale_after_s, when_stale, ttl_s, created_at)
    select rule_id, pattern, stale_after_s, when_stale, ttl_s, created_at from freshness_rules`,
  "drop table freshness_rules",
  "alter table freshness_rules_2 rename to freshness_rules",
  "create unique index freshness_rules_scope on freshness_rules (pattern, coalesce(model, ''))",
];

const largePlants = [
  "alter table streams add column put_off blob",
  "create index accounts_of_device on accounts (device_id)",
  "create index accounts_unsettled on accounts (path) where unsettled = 1",
];

const recovery = [
  `create table probes (account_id blob primary key references accounts (account_id), spent integer not null, last_at integer not null,
    edge_off_at integer not null)`,
  "alter table credentials add column proven_by text",
  "alter table credentials add column status_at integer",
  "alter table escrows add column learned integer not null default 0",
];

async function run(db: Kysely<VaultTables>, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}
