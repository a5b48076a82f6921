import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";

/** One of our TCP connections. */
export interface Connection {
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** States of include/net/tcp_states.h in which the other end has acknowledged our FIN, and so each byte before it. */
const acknowledged: ReadonlySet<string> = new Set(["05", "06"]);

/**
 * Asked when both ends have said that they are done: whether the other machine acknowledged all that we sent. An end that it said
 * before it saw ours proves nothing. True where the system does not tell.
 */
export async function isTakenByPeer(connection: Connection): Promise<boolean> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(read));
  if (tables.every((table) => table === null)) return true;
  return tables.some((table) => acknowledged.has(stateIn(table ?? "", connection) ?? ""));
}

/** The connection's state, two hexadecimal digits; null where the table has no such connection. */
export function stateIn(table: string, { localPort, remoteAddress, remotePort }: Connection): string | null {
  const remotes = kernelAddresses(remoteAddress).map((address) => `${address}:${port(remotePort)}`);
  const local = `:${port(localPort)}`;
  for (const line of table.split("\n")) {
    const [, from = "", to = "", state = ""] = line.trim().split(/\s+/, 4);
    if (from.endsWith(local) && remotes.includes(to)) return state;
  }
  return null;
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
