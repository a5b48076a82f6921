import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join } from "node:path";

/** A secret that is searched for; `name` is what a failure says instead of it. */
export interface Wanted {
  readonly name: string;
  readonly value: string;
}

/** Where something was found that should not be there. */
export interface Found {
  readonly name: string;
  readonly form: string;
  readonly place: string;
}

/** How much is looked at in one piece, bytes. */
const pieceBytes = 16 * 1024 * 1024;
/** Longer than any form of a secret: pieces overlap by it. */
const overlapBytes = 4096;

/** The forms that a secret may lie around in: raw, UTF-16LE, hex in both cases, and base64 wherever in a longer text it began. */
export function formsOf(value: string): { form: string; bytes: Buffer }[] {
  const raw = Buffer.from(value, "utf8");
  const hex = raw.toString("hex");
  const base64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), raw]).toString("base64url");
    // The first and last characters also depend on what stands beside the secret.
    return text.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + raw.length) * 8) / 6));
  });
  const texts: [string, string][] = [
    ["hex", hex],
    ["HEX", hex.toUpperCase()],
  ];
  for (const [shift, text] of base64.entries()) {
    texts.push([`base64url+${shift}`, text]);
    const plain = text.replaceAll("-", "+").replaceAll("_", "/");
    if (plain !== text) texts.push([`base64+${shift}`, plain]);
  }
  return [
    { form: "raw", bytes: raw },
    { form: "utf-16le", bytes: Buffer.from(value, "utf16le") },
    ...texts.map(([form, text]) => ({ form, bytes: Buffer.from(text, "latin1") })),
  ];
}

/** Looks for every form of these secrets in some bytes. */
export function searchBytes(bytes: Buffer, wanted: readonly Wanted[], place: string): Found[] {
  return wanted.flatMap(({ name, value }) =>
    formsOf(value).flatMap((each) => (bytes.includes(each.bytes) ? [{ name, form: each.form, place }] : [])),
  );
}

/** Looks into every file below a folder. Sockets are passed over; that no file was seen is an error. */
export function searchFolder(folder: string, wanted: readonly Wanted[]): Found[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  if (entries.length === 0) throw new Error(`${folder} holds no file`);
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return searchBytes(contentOf(path), wanted, path);
  });
}

/**
 * Looks through the memory of a process: every readable region that can have been written to, which leaves out only the unwritable
 * pages of files, such as program code.
 */
export function searchMemory(pid: number, wanted: readonly Wanted[]): { found: Found[]; bytes: number } {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const found = new Map<string, Found>();
  const piece = Buffer.alloc(pieceBytes);
  let bytes = 0;
  try {
    for (const { from, to } of regionsOf(pid)) {
      for (let at = from; at < to; at += pieceBytes - overlapBytes) {
        const length = readAt(memory, piece, at, Math.min(pieceBytes, to - at));
        bytes += length;
        const place = `${pid} at ${from.toString(16)}`;
        for (const one of searchBytes(piece.subarray(0, length), wanted, place)) found.set(`${one.name} ${one.form}`, one);
      }
    }
  } finally {
    closeSync(memory);
    piece.fill(0);
  }
  return { found: [...found.values()], bytes };
}

function regionsOf(pid: number): { from: number; to: number }[] {
  return readFileSync(`/proc/${pid}/maps`, "utf8")
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [range = "", rights = "", , , , ...name] = line.split(/\s+/);
      const [from = 0, to = 0] = range.split("-").map((address) => Number.parseInt(address, 16));
      const isFile = name.join(" ").startsWith("/");
      const mapped = /^\[(vvar|vsyscall|vdso)/.test(name.join(" "));
      return rights[0] === "r" && !mapped && (rights[1] === "w" || !isFile) ? [{ from, to }] : [];
    });
}

/** Pages that went away since the map was read count as empty. */
function readAt(file: number, piece: Buffer, at: number, length: number): number {
  try {
    return readSync(file, piece, 0, length, at);
  } catch {
    return 0;
  }
}

/** A running node may put a file that it has just written in its place between the listing and the reading. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT" || !path.endsWith(".new")) throw error;
    return readFileSync(path.slice(0, -".new".length));
  }
}
