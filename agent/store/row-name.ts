/** What a row is sealed and counted under. */
export interface RowName {
  readonly table: string;
  readonly id: Uint8Array;
  /** The store's generation in which the row was written. */
  readonly version: number;
}

/** A version as it stands at the end of a name. */
export const versionBytes = 8;

/** No name begins with another one: each part tells its length first. */
export function rowNameBytes({ table, id, version }: RowName): Uint8Array {
  const length = Buffer.byteLength(table);
  const out = Buffer.allocUnsafe(length + id.length + 8 + versionBytes);
  out.writeUInt32BE(length, 0);
  out.write(table, 4);
  out.writeUInt32BE(id.length, 4 + length);
  out.set(id, 8 + length);
  out.writeUInt32BE(Math.floor(version / 0x1_0000_0000), out.length - versionBytes);
  out.writeUInt32BE(version >>> 0, out.length - 4);
  return out;
}
