import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult, TransactionSettings } from "kysely";
import { assert } from "../../protocol/base/index.ts";
import { storeErrorOf } from "./codes.ts";
import { busyTimeoutMs, preparedStatements } from "./limits.ts";

type Bindable = string | number | Uint8Array | null;

/** What the driver needs of an open database. */
export type Database = Pick<DatabaseSync, "exec" | "prepare" | "isTransaction" | "serialize" | "close">;

/** Kysely's driver over node:sqlite: one handle, handed to one transaction or query at a time. */
export class SqliteDriver implements Driver {
  readonly #open: () => Database;
  #connection: SqliteConnection | null = null;
  #last: Promise<void> = Promise.resolve();
  #release: (() => void) | null = null;

  constructor(open: () => Database) {
    this.#open = open;
  }

  async init(): Promise<void> {
    this.#connection = new SqliteConnection(this.#open());
  }

  /** Waits for its turn: two transactions on one handle would be one transaction. */
  async acquireConnection(): Promise<DatabaseConnection> {
    const turn = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = turn.promise;
    await before;
    assert(this.#connection !== null, "the driver is open");
    this.#release = turn.resolve;
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    this.#release?.();
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    // Immediate: a deferred transaction that turns into a writer half way can only fail.
    (connection as SqliteConnection).execute(settings.accessMode === "read only" ? "begin" : "begin immediate");
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    (connection as SqliteConnection).execute("commit");
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    (connection as SqliteConnection).rollback();
  }

  /** Every committed page, between two transactions. Throws VAULT_STORE_*. */
  async image(): Promise<Uint8Array> {
    const connection = (await this.acquireConnection()) as SqliteConnection;
    try {
      return connection.image();
    } finally {
      await this.releaseConnection();
    }
  }

  /** Moves every committed page into the file and empties the journal, between two transactions. Throws VAULT_STORE_*. */
  async truncateJournal(): Promise<void> {
    const connection = (await this.acquireConnection()) as SqliteConnection;
    try {
      connection.execute("pragma wal_checkpoint(truncate)");
    } finally {
      await this.releaseConnection();
    }
  }

  async destroy(): Promise<void> {
    await this.#last;
    this.#connection?.close();
    this.#connection = null;
  }
}

class SqliteConnection implements DatabaseConnection {
  readonly #database: Database;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: Database) {
    this.#database = database;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return translated(() => {
      const statement = this.#prepare(query.sql);
      const parameters = query.parameters as readonly Bindable[];
      if (statement.columns().length > 0) return { rows: statement.all(...parameters) as R[] };
      const { changes } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes) };
    });
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    assert(false, "the vault reads whole results: a cursor would stay open across other transactions");
  }

  execute(sql: string): void {
    translated(() => this.#database.exec(sql));
  }

  /** SQLite has rolled back by itself after a full disk or an I/O error; a second rollback would hide that error. */
  rollback(): void {
    if (this.#database.isTransaction) this.execute("rollback");
  }

  image(): Uint8Array {
    return translated(() => this.#database.serialize());
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    if (this.#prepared.size >= preparedStatements) this.#prepared.clear();
    const statement = this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

/** Opens the file (made with mode 0600) with the settings that durability rests on. Throws VAULT_STORE_*. */
export function openDatabase(path: string): DatabaseSync {
  return translated(() => {
    // SQLite would make it readable to all that the umask lets in; its journal takes over the file's mode.
    if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
    for (const pragma of ["journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "trusted_schema=OFF"]) {
      database.exec(`PRAGMA ${pragma}`);
    }
    // Asserted on the open handle: a build of SQLite may default or clamp these, and a commit would then not be durable.
    assert(pragma(database, "synchronous") === 2, "the store syncs at each commit");
    assert(pragma(database, "secure_delete") === 1, "the store overwrites what it deletes");
    assert(path === ":memory:" || pragma(database, "journal_mode") === "wal", "the store keeps a write-ahead log");
    return database;
  });
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function translated<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw storeErrorOf(cause) ?? cause;
  }
}
