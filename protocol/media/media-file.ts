import { compareBytes, fromHex, toHex } from "../base/index.ts";

/** What a file on a medium is: the type of the envelope inside. The order is that of the format. */
export const mediaKinds = ["join", "bundle", "report", "notice"] as const;

export type MediaKind = (typeof mediaKinds)[number];

/** One item as a manifest lists it. */
export interface MediaFile {
  readonly kind: MediaKind;
  /** Of the envelope inside, 32 bytes; the file's name. */
  readonly id: Uint8Array;
  /** The mailbox that it is for: a node id, or the first 20 bytes of the vault id. */
  readonly recipient: Uint8Array;
  /** Bytes. */
  readonly length: number;
  /** SHA-256 of the file. */
  readonly hash: Uint8Array;
}

/** Name of the file that completes a folder. */
export const manifestName = "MANIFEST";

/** The folder on a medium that holds a folder for each writer. */
export const mediaFolder = "TIDEGATE";

/** What the finder of a medium reads; in {@link mediaFolder}. */
export const readmeName = "README.txt";

/** A file's name: 64 hexadecimal digits, a dot and the kind. No name on a medium comes from anywhere else. */
export function mediaFileName({ kind, id }: Pick<MediaFile, "kind" | "id">): string {
  return `${toHex(id)}.${kind}`;
}

/** Kind and id that a name stands for, or null where it is not exactly such a name. */
export function parseMediaFileName(name: string): Pick<MediaFile, "kind" | "id"> | null {
  const [hex = "", ending, ...rest] = name.split(".");
  const kind = mediaKinds.find((each) => each === ending);
  const id = hex.length === 64 ? fromHex(hex) : null;
  if (kind === undefined || id === null || rest.length > 0 || hex !== hex.toLowerCase()) return null;
  return { kind, id };
}

/** The order of files in a list: by kind, then by id. */
export function compareMediaFiles(a: Pick<MediaFile, "kind" | "id">, b: Pick<MediaFile, "kind" | "id">): number {
  return mediaKinds.indexOf(a.kind) - mediaKinds.indexOf(b.kind) || compareBytes(a.id, b.id);
}
