import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { assert } from "../../protocol/base/index.ts";
import type { Database } from "../../vault/store/sqlite-driver.ts";
import type { DiskFault, DiskUser } from "./disk.ts";
import { RememberedRows } from "./remembered-rows.ts";

/** SQLite's primary result codes of the faults (sqlite.org/rescode.html). */
const resultCode = { full: 13, io: 10 } as const;

/**
 * The vault's database in memory, one a process of the operating system: worlds follow one another in it, each from a kept image. It
 * outlives the simulated vault's processes.
 */
export class VaultDisk {
  readonly #database = new DatabaseSync(":memory:", { enableForeignKeyConstraints: true });
  readonly #statements = new Map<string, StatementSync>();
  readonly #remembered = new RememberedRows();
  #tables: readonly string[] = [];
  #images = 0;
  #fault: { readonly kind: DiskFault; commits: number } | null = null;
  commits = 0;
  onFault: (kind: DiskFault) => void = () => {};
  /** Called before each commit with what a planted bug changes. */
  beforeCommit: () => void = () => {};
  /** Every commit is synced before it is believed; false is a planted bug: a crash goes back to the last image that `sync` made. */
  synced = true;
  #lastSync: string | null = null;

  constructor() {
    this.#database.exec(
      "pragma trusted_schema = off; pragma synchronous = off; pragma secure_delete = off; attach ':memory:' as kept",
    );
  }

  /** Takes over what a real vault's first start left in a file. */
  adopt(path: string): void {
    const database = this.#database;
    database.exec(`attach '${path.replaceAll("'", "''")}' as made`);
    const rows = database.prepare("select name, sql, type from made.sqlite_master where sql is not null order by rowid").all();
    const schema = rows as unknown as { name: string; sql: string; type: string }[];
    for (const { sql } of schema) database.exec(sql);
    this.#tables = schema.filter(({ type }) => type === "table").map(({ name }) => name);
    this.#unconstrained(() => {
      for (const table of this.#tables) database.exec(`insert into main.${table} select * from made.${table}`);
    });
    database.exec("detach made");
  }

  /** Keeps everything as it stands under the returned name. */
  keep(name = `image${this.#images++}`): string {
    for (const table of this.#tables) {
      const copy = `kept.${name}_${table}`;
      this.#database.exec(`drop table if exists ${copy}; create table ${copy} as select * from main.${table}`);
    }
    return name;
  }

  /** Puts everything back to a kept image. */
  restore(name: string): void {
    this.#unconstrained(() => {
      for (const table of this.#tables) {
        this.#run(`delete from main.${table}`);
        this.#run(`insert into main.${table} select * from kept.${name}_${table}`);
      }
    });
  }

  /** A world begins: from this image, without a fault. */
  begin(name: string): void {
    this.#fault = null;
    this.onFault = () => {};
    this.beforeCommit = () => {};
    this.synced = true;
    this.#lastSync = null;
    this.restore(name);
  }

  plan(kind: DiskFault, commits: number): void {
    this.#fault = { kind, commits };
  }

  forgetPlan(): void {
    this.#fault = null;
  }

  /** The disk syncs by itself now and then; only a planted bug leaves anything to it. */
  sync(): void {
    if (!this.synced) this.#lastSync = this.keep("synced");
  }

  /** The process died. */
  crashed(): void {
    if (this.#database.isTransaction) this.#rollback();
    if (!this.synced && this.#lastSync !== null) this.restore(this.#lastSync);
  }

  /** Rows for those who look from outside, between two transactions. */
  all<Row>(sql: string, ...values: readonly SQLInputValue[]): Row[] {
    return this.#ask(sql, values) as Row[];
  }

  /** Changes something behind everybody's back. */
  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#prepared(sql).run(...values);
    this.#remembered.wrote(sql);
  }

  /** The seam below the store's driver, for one process. */
  open(user: DiskUser): Database {
    const database = this.#database;
    const check = () => {
      if (!user.alive) throw refused(resultCode.io);
    };
    const guarded = (sql: string) => {
      const statement = this.#prepared(sql);
      return {
        columns: () => this.#columns(statement),
        all: (...values: SQLInputValue[]) => {
          check();
          return this.#ask(sql, values);
        },
        run: (...values: SQLInputValue[]) => {
          check();
          this.#remembered.wrote(sql);
          return statement.run(...values);
        },
      } as unknown as StatementSync;
    };
    return {
      prepare: guarded,
      exec: (sql) => {
        check();
        if (sql === "commit") return this.#commit(user);
        if (sql === "rollback") return this.#rollback();
        database.exec(sql);
      },
      get isTransaction() {
        return user.alive && database.isTransaction;
      },
      serialize: () => database.serialize(),
      close() {},
    };
  }

  #commit(user: DiskUser): void {
    const database = this.#database;
    const writes = this.#wrote();
    const fault = writes ? this.#faultOfCommit() : null;
    if (fault === "crash before") {
      user.die();
      throw refused(resultCode.io);
    }
    if (fault === "no space" || fault === "io, lost") {
      this.#rollback();
      throw refused(fault === "no space" ? resultCode.full : resultCode.io);
    }
    if (writes) this.beforeCommit();
    database.exec("commit");
    if (writes) this.commits += 1;
    if (fault === "crash after" || fault === "io, kept") {
      user.die();
      throw refused(resultCode.io);
    }
  }

  #changes = 0;

  /** True where the transaction changed a row. */
  #wrote(): boolean {
    const [row] = this.all<{ n: number }>("select total_changes() as n");
    const changed = row !== undefined && row.n !== this.#changes;
    this.#changes = row?.n ?? 0;
    return changed;
  }

  #faultOfCommit(): DiskFault | null {
    if (this.#fault === null) return null;
    if (this.#fault.commits > 0) {
      this.#fault.commits -= 1;
      return null;
    }
    const { kind } = this.#fault;
    this.#fault = null;
    this.onFault(kind);
    return kind;
  }

  #unconstrained(work: () => void): void {
    assert(!this.#database.isTransaction, "images change between transactions");
    this.#database.exec("pragma foreign_keys = off; begin");
    work();
    this.#database.exec("commit; pragma foreign_keys = on");
    this.#remembered.forget();
    this.#wrote();
  }

  readonly #columnsOf = new WeakMap<StatementSync, ReturnType<StatementSync["columns"]>>();

  #columns(statement: StatementSync): ReturnType<StatementSync["columns"]> {
    const known = this.#columnsOf.get(statement) ?? statement.columns();
    this.#columnsOf.set(statement, known);
    return known;
  }

  #ask(sql: string, values: readonly SQLInputValue[]): Record<string, SQLOutputValue>[] {
    return this.#remembered.rows(sql, values, () => this.#prepared(sql).all(...values));
  }

  #rollback(): void {
    this.#database.exec("rollback");
    this.#remembered.forget();
  }

  #run(sql: string): void {
    this.#prepared(sql).run();
  }

  /** Prepared once for all worlds: nothing of a world is in a statement. */
  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function refused(errcode: number): Error {
  return Object.assign(new Error("simulated fault"), { errcode });
}
