import { concat, decodeTcbor, toHex, u64be } from "../../protocol/base/index.ts";
import { fieldsFromTcbor } from "../../protocol/content/index.ts";
import type { ColumnSeal } from "../../vault/master-key/index.ts";
import { valueText } from "./device-kind.ts";
import type { VaultDisk } from "./vault-disk.ts";

/** One value as the vault's disk holds it. */
export interface SeenValue {
  readonly path: string;
  /** The account's id in hexadecimal. */
  readonly account: string;
  readonly index: string;
  readonly status: string;
  readonly text: string;
  readonly fingerprint: string;
}

interface Row {
  readonly path: string;
  readonly account_id: Uint8Array;
  readonly epoch: number;
  readonly number: number;
  readonly status: string;
  readonly fields_sealed: Uint8Array;
  readonly fingerprint: Uint8Array;
}

/** Reads the vault's disk as somebody who holds its key, whether a vault runs or not. */
export class VaultEyes {
  readonly #disk: VaultDisk;
  readonly #seal: ColumnSeal;
  readonly #opened = new Map<string, string>();

  constructor(disk: VaultDisk, seal: ColumnSeal) {
    this.#disk = disk;
    this.#seal = seal;
  }

  /** Every value of every account, by path; newest first. */
  values(): ReadonlyMap<string, readonly SeenValue[]> {
    const rows = this.#disk.all<Row>(
      `select a.path, a.account_id, c.epoch, c.number, c.status, c.fields_sealed, c.fingerprint
        from accounts a join credentials c on c.account_id = a.account_id order by c.epoch desc, c.number desc`,
    );
    const found = new Map<string, SeenValue[]>();
    for (const row of rows) {
      const { path, epoch, number, status } = row;
      const account = toHex(row.account_id);
      const value = {
        path,
        account,
        index: `${epoch}.${number}`,
        status,
        text: this.#open(row),
        fingerprint: toHex(row.fingerprint),
      };
      const known = found.get(path);
      if (known === undefined) found.set(path, [value]);
      else known.push(value);
    }
    return found;
  }

  #open({ account_id, epoch, number, fields_sealed, fingerprint }: Row): string {
    const key = `${toHex(account_id)}/${epoch}.${number}/${toHex(fingerprint)}`;
    const known = this.#opened.get(key);
    if (known !== undefined) return known;
    const place = { table: "credentials", row: concat(account_id, u64be(epoch), u64be(number)), column: "fields" };
    const fields = fieldsFromTcbor(decodeTcbor(this.#seal.open(place, fields_sealed)), "credential");
    const text = valueText(Object.fromEntries(fields.map(({ name, value }) => [name, value])));
    this.#opened.set(key, text);
    return text;
  }
}
