/** What a row is sealed and counted under. */
export interface RowName {
  readonly table: string;
  readonly id: Uint8Array;
  /** The store's generation in which the row was written. */
  readonly version: number;
}

/** No name begins with another one: each part tells its length first. */
export function rowNameBytes({ table, id, version }: RowName): Uint8Array {
  const length = Buffer.byteLength(table);
  const out = Buffer.allocUnsafe(length + id.length + 16);
  out.writeUInt32BE(length, 0);
  out.write(table, 4);
  out.writeUInt32BE(id.length, 4 + length);
  out.set(id, 8 + length);
  writeVersion(out, version, out.length - 8);
  return out;
}

/** A version as eight bytes, big endian, at `at`. */
export function writeVersion(out: Buffer, version: number, at: number): void {
  out.writeUInt32BE(Math.floor(version / 0x1_0000_0000), at);
  out.writeUInt32BE(version >>> 0, at + 4);
}
