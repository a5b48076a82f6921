/** Bounds of a writer's folder on a removable medium. */
export const mediaLimits = {
  /** Files that one manifest lists: 64 edges with 64 items each. */
  files: 4_096,
  /** Bytes of the `MANIFEST` file: a full list, 32 roots of the usual size and the writer's statement. */
  manifestBytes: 1_048_576,
  /** Bytes of one item: what a tunnel takes too. */
  itemBytes: 16_777_216,
  /** Bytes of all items of one folder. */
  folderBytes: 4_294_967_296,
} as const;

/** Values of a list of files: each file is an array of five, and the list itself. */
export const maxListValues = mediaLimits.files * 6 + 1;
