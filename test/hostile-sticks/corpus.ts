import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { encodeTcbor, type Tcbor } from "../../protocol/base/index.ts";
import { decodeCarrier, encodeCarrier } from "../../protocol/envelope/index.ts";

/** A good stick that a case makes a bad one of. */
export interface Prepared {
  readonly mount: string;
  /** `TIDEGATE`. */
  readonly shared: string;
  /** The vault's folder in it. */
  readonly writer: string;
  /** Name of one of its items. */
  readonly item: string;
  /** A folder outside of the stick that nobody may touch. */
  readonly outside: string;
}

/** One hostile stick. */
export interface HostileStick {
  readonly name: string;
  /** Code of the refusal; null where the stick is harmless after all. */
  readonly code: string | null;
  readonly needsRoot?: boolean;
  make(stick: Prepared): unknown;
  /** Does something after the first chunk that is read. */
  meanwhile?(stick: Prepared): void;
}

const manifest = ({ writer }: Prepared) => join(writer, "MANIFEST");
const itemOf = ({ writer, item }: Prepared) => join(writer, item);

function replace(path: string, make: (path: string) => void): void {
  rmSync(path, { recursive: true, force: true });
  make(path);
}

/** Moves what is there outside of the stick and puts a link in its place. */
function link(path: string, { outside }: Prepared): void {
  const moved = join(outside, "moved");
  renameSync(path, moved);
  symlinkSync(moved, path);
}

function sparse(path: string, bytes: number): void {
  const descriptor = openSync(path, "w");
  ftruncateSync(descriptor, bytes);
  closeSync(descriptor);
}

function make(command: string, ...words: string[]): void {
  const { status, stderr } = spawnSync(command, words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}

function turnBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

/** Puts another list of files beside the envelope that was signed over the true one. */
function otherList(path: string, list: Tcbor): void {
  const carrier = decodeCarrier(new Uint8Array(readFileSync(path)));
  writeFileSync(path, encodeCarrier({ ...carrier, body: encodeTcbor(list) }));
}

const terabyte = 2 ** 40;

export const hostileSticks: readonly HostileStick[] = [
  { name: "the shared folder is a link", code: "MEDIA_LINK", make: (stick) => link(stick.shared, stick) },
  {
    name: "the shared folder is a file",
    code: "MEDIA_NOT_PLAIN",
    make: ({ shared }) => replace(shared, (at) => writeFileSync(at, "")),
  },
  { name: "a writer's folder is a link", code: "MEDIA_LINK", make: (stick) => link(stick.writer, stick) },
  {
    name: "a writer's folder is a file",
    code: "MEDIA_NOT_PLAIN",
    make: ({ writer }) => replace(writer, (at) => writeFileSync(at, "")),
  },
  { name: "the manifest is a link", code: "MEDIA_LINK", make: (stick) => link(manifest(stick), stick) },
  {
    name: "the manifest is a link to a device",
    code: "MEDIA_LINK",
    make: (stick) => replace(manifest(stick), (at) => symlinkSync("/dev/zero", at)),
  },
  { name: "an item is a link", code: "MEDIA_LINK", make: (stick) => link(itemOf(stick), stick) },
  {
    name: "the manifest is a pipe",
    code: "MEDIA_NOT_PLAIN",
    make: (stick) => replace(manifest(stick), (at) => make("mkfifo", at)),
  },
  { name: "an item is a pipe", code: "MEDIA_NOT_PLAIN", make: (stick) => replace(itemOf(stick), (at) => make("mkfifo", at)) },
  { name: "an item is a folder", code: "MEDIA_NOT_PLAIN", make: (stick) => replace(itemOf(stick), (at) => mkdirSync(at)) },
  {
    name: "the manifest is a character device",
    code: "MEDIA_NOT_PLAIN",
    needsRoot: true,
    make: (stick) => replace(manifest(stick), (at) => make("mknod", at, "c", "1", "5")),
  },
  {
    name: "an item is a block device",
    code: "MEDIA_NOT_PLAIN",
    needsRoot: true,
    make: (stick) => replace(itemOf(stick), (at) => make("mknod", at, "b", "7", "0")),
  },
  { name: "an item of 8 TB, sparse", code: "MEDIA_TOO_LARGE", make: (stick) => sparse(itemOf(stick), 8 * terabyte) },
  { name: "a manifest of 1 GB, sparse", code: "MEDIA_TOO_LARGE", make: (stick) => sparse(manifest(stick), 2 ** 30) },
  {
    name: "a file of 8 TB that nobody lists",
    code: null,
    make: ({ writer }) => sparse(join(writer, "more.bin"), 8 * terabyte),
  },
  {
    name: "a second manifest in small letters",
    code: "MEDIA_NAME",
    make: ({ writer }) => writeFileSync(join(writer, "manifest"), "another"),
  },
  {
    name: "a second manifest in wide letters",
    code: "MEDIA_NAME",
    make: ({ writer }) => writeFileSync(join(writer, "ＭＡＮＩＦＥＳＴ"), "another"),
  },
  {
    name: "an item a second time in capitals",
    code: "MEDIA_NAME",
    make: ({ writer, item }) => writeFileSync(join(writer, item.toUpperCase()), "another"),
  },
  {
    name: "a writer a second time in capitals",
    code: "MEDIA_NAME",
    make: ({ shared, writer }) => mkdirSync(join(shared, writer.slice(shared.length + 1).toUpperCase())),
  },
  { name: "no manifest", code: "MEDIA_INCOMPLETE", make: (stick) => rmSync(manifest(stick)) },
  { name: "an empty manifest", code: "MANIFEST_MALFORMED", make: (stick) => truncateSync(manifest(stick), 0) },
  { name: "a manifest that is cut", code: "MANIFEST_MALFORMED", make: (stick) => truncateSync(manifest(stick), 900) },
  { name: "an item is missing", code: "MEDIA_INCOMPLETE", make: (stick) => rmSync(itemOf(stick)) },
  { name: "an item is cut", code: "MEDIA_INCOMPLETE", make: (stick) => truncateSync(itemOf(stick), 100) },
  { name: "an item has a byte more", code: "MEDIA_TOO_LARGE", make: (stick) => appendFileSync(itemOf(stick), "!") },
  { name: "a byte of an item is another one", code: "MEDIA_HASH", make: (stick) => turnBit(itemOf(stick), 1_800) },
  {
    name: "a path in place of an id",
    code: "MANIFEST_LIST",
    make: (stick) =>
      otherList(manifest(stick), [
        [1, new TextEncoder().encode("../../outside/canary"), new Uint8Array(20), 6, new Uint8Array(32)],
      ]),
  },
  {
    name: "a folder under another writer's name",
    code: "MANIFEST_WRITER",
    make: ({ shared, writer }) => renameSync(writer, join(shared, "a".repeat(32))),
  },
  {
    name: "a file that grows while it is read",
    code: "MEDIA_CHANGED",
    make: () => {},
    meanwhile: (stick) => appendFileSync(manifest(stick), "!"),
  },
  {
    name: "a file that shrinks while it is read",
    code: "MEDIA_CHANGED",
    make: () => {},
    meanwhile: (stick) => truncateSync(manifest(stick), 10),
  },
  {
    name: "a file that changes in place while it is read",
    code: "MEDIA_CHANGED",
    make: () => {},
    meanwhile: (stick) => turnBit(manifest(stick), 5),
  },
  {
    name: "a folder that is swapped for a link while it is read",
    code: null,
    make: () => {},
    meanwhile: ({ writer, outside }) => {
      renameSync(writer, `${writer}-gone`);
      symlinkSync(outside, writer);
    },
  },
];

/** Puts a socket in an item's place; returns how to take it away. Made under a shorter name: a socket's path has 107 bytes. */
export function socketAt({ mount, writer, item }: Prepared): Promise<() => void> {
  const short = join(mount, "s");
  const server = createServer();
  return new Promise((resolve) =>
    server.listen(short, () => {
      renameSync(short, join(writer, item));
      resolve(() => server.close());
    }),
  );
}
