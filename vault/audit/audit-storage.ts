import type { AsyncAuditStorage, AuditRead, AuditWrite, EpochKey, Later, MarkName } from "../../agent/audit/index.ts";
import type { AuditRows } from "../../protocol/audit/index.ts";
import { asBytes, asTuple, asUint, decodeTcbor, encodeTcbor, utf8 } from "../../protocol/base/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** The vault's log of this serial in its own store; `seal` keeps the epoch key. */
export function vaultAuditStorage(serial: number, seal: ColumnSeal): AsyncAuditStorage<VaultTransaction, VaultTransaction> {
  return { read: (tx) => new Rows(tx, serial, seal), write: (tx) => new Rows(tx, serial, seal) };
}

class Rows implements Later<AuditRead>, Later<AuditWrite> {
  readonly #tx: VaultTransaction;
  readonly #log: number;
  readonly #seal: ColumnSeal;

  constructor(tx: VaultTransaction, log: number, seal: ColumnSeal) {
    this.#tx = tx;
    this.#log = log;
    this.#seal = seal;
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
      .select(["place", "leaf"])
      .where("log", "=", this.#log)
      .where("place", ">=", from)
      .orderBy("place")
      .limit(limit)
      .execute();
    // What was freed has no rows: the next ones are other leaves.
    return rows[0]?.place === from ? rows.map((row) => row.leaf) : [];
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

  async free(from: number, to: number): Promise<void> {
    await this.#tx
      .deleteFrom("audit_leaves")
      .where("log", "=", this.#log)
      .where("place", ">=", from)
      .where("place", "<", to)
      .execute();
  }

  async epochKey(): Promise<EpochKey | null> {
    const row = await this.#tx
      .selectFrom("secrets")
      .select("value_sealed")
      .where("name", "=", this.#epochName())
      .executeTakeFirst();
    if (row === undefined) return null;
    const [number, seed] = asTuple(decodeTcbor(this.#seal.open(this.#epochPlace(), row.value_sealed)), "epoch key", 2);
    return { number: asUint(number, "epoch"), seed: asBytes(seed, "epoch seed", 32).slice() };
  }

  async putEpochKey({ number, seed }: EpochKey): Promise<void> {
    const value_sealed = this.#seal.seal(this.#epochPlace(), encodeTcbor([number, seed]));
    await this.#tx
      .insertInto("secrets")
      .values({ name: this.#epochName(), value_sealed })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value_sealed }))
      .execute();
  }

  #epochName(): string {
    return `audit-epoch/${this.#log}`;
  }

  #epochPlace() {
    return { table: "secrets", row: utf8(this.#epochName()), column: "value" };
  }

  async #put(name: MarkName, value: Uint8Array): Promise<void> {
    await this.#tx
      .insertInto("audit_marks")
      .values({ log: this.#log, name, value })
      .onConflict((conflict) => conflict.columns(["log", "name"]).doUpdateSet({ value }))
      .execute();
  }
}
