import type { AsyncAuditStorage, AuditRead, AuditWrite, Later, MarkName } from "../../agent/audit/index.ts";
import type { AuditRows } from "../../protocol/audit/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** The vault's log of this serial in its own store. */
export function vaultAuditStorage(serial: number): AsyncAuditStorage<VaultTransaction, VaultTransaction> {
  return { read: (tx) => new Rows(tx, serial), write: (tx) => new Rows(tx, serial) };
}

class Rows implements Later<AuditRead>, Later<AuditWrite> {
  readonly #tx: VaultTransaction;
  readonly #log: number;

  constructor(tx: VaultTransaction, log: number) {
    this.#tx = tx;
    this.#log = log;
  }

  async mark(name: MarkName): Promise<Uint8Array | null> {
    const row = await this.#tx
      .selectFrom("audit_marks")
      .select("value")
      .where("log", "=", this.#log)
      .where("name", "=", name)
      .executeTakeFirst();
    return row?.value ?? null;
  }

  async leaves(from: number, limit: number): Promise<Uint8Array[]> {
    const rows = await this.#tx
      .selectFrom("audit_leaves")
      .select("leaf")
      .where("log", "=", this.#log)
      .where("place", ">=", from)
      .orderBy("place")
      .limit(limit)
      .execute();
    return rows.map((row) => row.leaf);
  }

  async tile(level: number, index: number): Promise<Uint8Array | null> {
    const row = await this.#tx
      .selectFrom("audit_tiles")
      .select("hashes")
      .where("log", "=", this.#log)
      .where("level", "=", level)
      .where("place", "=", index)
      .executeTakeFirst();
    return row?.hashes ?? null;
  }

  async append(rows: AuditRows): Promise<void> {
    const log = this.#log;
    for (const [offset, leaf] of rows.leaves.entries()) {
      await this.#tx
        .insertInto("audit_leaves")
        .values({ log, place: rows.first + offset, leaf })
        .execute();
    }
    for (const { level, index, bytes } of rows.tiles) {
      await this.#tx
        .insertInto("audit_tiles")
        .values({ log, level, place: index, hashes: bytes })
        .onConflict((conflict) => conflict.columns(["log", "level", "place"]).doUpdateSet({ hashes: bytes }))
        .execute();
    }
    await this.#put("tree", rows.state);
  }

  async putMark(name: Exclude<MarkName, "tree">, value: Uint8Array): Promise<void> {
    await this.#put(name, value);
  }

  async #put(name: MarkName, value: Uint8Array): Promise<void> {
    await this.#tx
      .insertInto("audit_marks")
      .values({ log: this.#log, name, value })
      .onConflict((conflict) => conflict.columns(["log", "name"]).doUpdateSet({ value }))
      .execute();
  }
}
