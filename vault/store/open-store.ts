import { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql, type Transaction } from "kysely";
import type { Clock, Failpoint } from "../../agent/seams/index.ts";
import { type StoreStop, VaultStoreError } from "./codes.ts";
import { migrations } from "./migrations.ts";
import type { VaultTables } from "./schema.ts";
import { type Database, openDatabase, SqliteDriver } from "./sqlite-driver.ts";

/** One open transaction. Await nothing but it: the handle is held until the work ends. */
export type VaultTransaction = Transaction<VaultTables>;

/** The vault's database. Any number of processes may have it open; nothing that decides is kept in memory. */
export interface VaultStore {
  /** All of `work` is durable when this resolves, or none of it happened. Throws the VAULT_STORE codes and what `work` throws. */
  transaction<T>(work: (tx: VaultTransaction) => Promise<T>): Promise<T>;
  /** One consistent view; goes on after writing has stopped. */
  read<T>(work: (tx: VaultTransaction) => Promise<T>): Promise<T>;
  /** The store as one file would hold it, of one moment between two transactions; works after writing has stopped too. */
  image(): Promise<Uint8Array>;
  /** Truncates the journal, so that of rows that were replaced or deleted before no old copy stays. Throws as a transaction does. */
  forget(): Promise<void>;
  /** Null while writing works, else the code that stopped it. */
  readonly stopped: StoreStop | null;
  /** Idempotent. */
  close(): Promise<void>;
}

interface VaultStoreOptions {
  /** The file, or ":memory:". */
  readonly path: string;
  readonly clock: Clock;
  /** How the file is opened; the real one unless a simulation gives its own. */
  readonly open?: (path: string) => Database;
  /** Names `vault.before-commit` and `vault.after-commit`. */
  readonly failpoint?: Failpoint;
  /** Told before each writing transaction: a transaction cannot be run twice, so room is made before one needs it. */
  readonly beforeWrite?: () => void;
}

/** Opens the store and brings its tables up to date. Throws VAULT_STORE_FOREIGN for a file of a newer version. */
export async function openVaultStore(options: VaultStoreOptions): Promise<VaultStore> {
  const { path, clock, open = openDatabase, failpoint = () => {}, beforeWrite = () => {} } = options;
  const driver = new SqliteDriver(() => open(path));
  const db = new Kysely<VaultTables>({
    dialect: {
      createDriver: () => driver,
      createQueryCompiler: () => new SqliteQueryCompiler(),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (kysely) => new SqliteIntrospector(kysely),
    },
  });
  try {
    await migrate(db, clock.wallMs());
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return new SqliteVaultStore(db, driver, { failpoint, beforeWrite });
}

class SqliteVaultStore implements VaultStore {
  readonly #db: Kysely<VaultTables>;
  readonly #driver: SqliteDriver;
  readonly #failpoint: Failpoint;
  readonly #beforeWrite: () => void;
  #stopped: StoreStop | null = null;

  constructor(
    db: Kysely<VaultTables>,
    driver: SqliteDriver,
    { failpoint, beforeWrite }: Required<Pick<VaultStoreOptions, "failpoint" | "beforeWrite">>,
  ) {
    this.#db = db;
    this.#driver = driver;
    this.#failpoint = failpoint;
    this.#beforeWrite = beforeWrite;
  }

  get stopped(): StoreStop | null {
    return this.#stopped;
  }

  async transaction<T>(work: (tx: VaultTransaction) => Promise<T>): Promise<T> {
    if (this.#stopped !== null) {
      throw new VaultStoreError("VAULT_STORE_STOPPED", `writing stopped after ${this.#stopped}`, {
        hint: "Free space or repair the disk, then restart the vault.",
      });
    }
    this.#beforeWrite();
    try {
      const result = await this.#db.transaction().execute(async (tx) => {
        const done = await work(tx);
        this.#failpoint("vault.before-commit");
        return done;
      });
      this.#failpoint("vault.after-commit");
      return result;
    } catch (error) {
      if (error instanceof VaultStoreError && isStop(error.code)) this.#stopped = error.code;
      throw error;
    }
  }

  read<T>(work: (tx: VaultTransaction) => Promise<T>): Promise<T> {
    return this.#db.transaction().setAccessMode("read only").execute(work);
  }

  image(): Promise<Uint8Array> {
    return this.#driver.image();
  }

  forget(): Promise<void> {
    return this.#driver.truncateJournal();
  }

  close(): Promise<void> {
    return this.#db.destroy();
  }
}

function isStop(code: string): code is StoreStop {
  return code === "VAULT_STORE_NO_SPACE" || code === "VAULT_STORE_IO" || code === "VAULT_STORE_DAMAGED";
}

async function migrate(db: Kysely<VaultTables>, now: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`create table if not exists migrations (number integer primary key, name text not null, applied_at integer not null)`.execute(
      tx,
    );
    const done = await tx.selectFrom("migrations").select(["number", "name"]).orderBy("number").execute();
    for (const { number, name } of done) {
      if (migrations.find((each) => each.number === number)?.name !== name) {
        throw new VaultStoreError(
          "VAULT_STORE_FOREIGN",
          `the store holds migration ${number} "${name}", which this version does not know`,
          {
            hint: "Run the version of Tidegate that last wrote this store, or a newer one.",
          },
        );
      }
    }
    for (const migration of migrations.slice(done.length)) {
      await migration.up(tx);
      await tx.insertInto("migrations").values({ number: migration.number, name: migration.name, applied_at: now }).execute();
    }
  });
}
