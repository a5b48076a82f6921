import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { assert } from "../../protocol/base/index.ts";

/** The statements of a store, prepared once. */
export interface Statements {
  readonly get: StatementSync;
  readonly version: StatementSync;
  readonly put: StatementSync;
  readonly delete: StatementSync;
  readonly count: StatementSync;
  readonly up: StatementSync;
  readonly down: StatementSync;
}

/** Opens the file (made with mode 0600) alone, with the settings that durability rests on. Throws what SQLite throws. */
export function openDatabase(path: string): DatabaseSync {
  closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 0, readBigInts: false });
  try {
    database.exec(`
      pragma locking_mode = exclusive;
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma secure_delete = on;
      pragma cache_size = -8192;
      create table if not exists row (
        tbl text not null, id blob not null, version integer not null, sealed blob not null, primary key (tbl, id)
      ) strict;
      begin immediate; commit;
    `);
    assertPragma(database, "journal_mode", "wal");
    assertPragma(database, "synchronous", 2);
    assertPragma(database, "secure_delete", 1);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/**
 * Says whether commits sync from now on. Without, the one who commits syncs the journal; a checkpoint of the journal still syncs it
 * first. Throws inside a transaction, and where SQLite does not take the setting.
 */
export function syncCommits(database: DatabaseSync, sync: boolean): void {
  database.exec(`pragma synchronous = ${sync ? "full" : "normal"}`);
  assertPragma(database, "synchronous", sync ? 2 : 1);
}

/** The settings that durability rests on are read back from the open handle: a pragma that SQLite ignores says nothing. */
function assertPragma(database: DatabaseSync, name: string, expected: string | number): void {
  const row = database.prepare(`pragma ${name}`).get() as Record<string, unknown>;
  assert(row[name] === expected, `pragma ${name} is ${String(row[name])}`);
}

/** Prepares the statements. */
export function prepareStatements(database: DatabaseSync): Statements {
  const scan = "select id, version, sealed from row where tbl = ? and id >= ? and id <= ? order by tbl, id";
  return {
    get: database.prepare("select version, sealed from row where tbl = ? and id = ?"),
    version: database.prepare("select version from row where tbl = ? and id = ?"),
    // In place, where "or replace" would move the row and its index entry.
    put: database.prepare(
      `insert into row (tbl, id, version, sealed) values (?, ?, ?, ?)
       on conflict (tbl, id) do update set version = excluded.version, sealed = excluded.sealed`,
    ),
    delete: database.prepare("delete from row where tbl = ? and id = ?"),
    count: database.prepare("select count(*) as n from row where tbl = ?"),
    up: database.prepare(`${scan} limit ?`),
    down: database.prepare(`${scan} desc limit ?`),
  };
}
