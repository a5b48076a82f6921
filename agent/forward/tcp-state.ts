import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";

/** One of our TCP connections. */
export interface Connection {
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** Where what we sent stands: `taken` by the other machine, `waiting` for it, or its connection is not `open` any more. */
export type Progress = "taken" | "waiting" | "over";

/** TCP_ESTABLISHED of include/net/tcp_states.h: neither end has said that it is done. */
const established = "01";

/** Whether the other machine has acknowledged all that we sent, while it has not said that it is done; `taken` where the system does not tell. */
export async function progressOf(connection: Connection): Promise<Progress> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(read));
  if (tables.every((table) => table === null)) return "taken";
  return progressIn(tables.join("\n"), connection);
}

/** {@link progressOf} by the kernel's tables. */
export function progressIn(tables: string, { localPort, remoteAddress, remotePort }: Connection): Progress {
  const remotes = kernelAddresses(remoteAddress).map((address) => `${address}:${port(remotePort)}`);
  const local = `:${port(localPort)}`;
  for (const line of tables.split("\n")) {
    const [, from = "", to = "", state = "", queues = ""] = line.trim().split(/\s+/, 5);
    if (!from.endsWith(local) || !remotes.includes(to) || state !== established) continue;
    return /^0+:/.test(queues) ? "taken" : "waiting";
  }
  return "over";
}

async function read(path: string): Promise<string | null> {
  try {
    return await readFile(path, "latin1");
  } catch {
    return null;
  }
}

function port(number: number): string {
  return number.toString(16).toUpperCase().padStart(4, "0");
}

/** As the kernel prints it: 32-bit words, each in the machine's own order. An IPv4 address may also stand among the IPv6 ones. */
function kernelAddresses(address: string): string[] {
  if (!isIPv6(address)) {
    const word = wordOf(address.split(".").map(Number));
    return [word, `0000000000000000FFFF0000${word}`];
  }
  const bytes = ipv6Bytes(address);
  return [[0, 4, 8, 12].map((at) => wordOf(bytes.slice(at, at + 4))).join("")];
}

function wordOf(bytes: readonly number[]): string {
  const ordered = isLittleEndian ? [...bytes].reverse() : bytes;
  return ordered.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join("");
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function ipv6Bytes(address: string): number[] {
  // The URL parser writes the shortest spelling of any; a zone is no part of the address.
  const text = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = text.split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":").map((word) => Number.parseInt(word, 16)));
  const [left, right] = [words(head), words(tail ?? "")];
  const all = tail === undefined ? left : [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right];
  return all.flatMap((word) => [word >> 8, word & 0xff]);
}
