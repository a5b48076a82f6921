import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One TCP or UDP socket of a process, as the kernel lists it. */
export interface KernelSocket {
  readonly protocol: "tcp" | "udp";
  /** `address:port`. */
  readonly local: string;
  readonly remote: string;
  readonly listening: boolean;
}

const tables = [
  { file: "tcp", protocol: "tcp" },
  { file: "tcp6", protocol: "tcp" },
  { file: "udp", protocol: "udp" },
  { file: "udp6", protocol: "udp" },
] as const;
/** TCP_LISTEN of include/net/tcp_states.h. */
const listenState = "0A";

/** Every network socket that these processes hold: the kernel's tables, joined by inode with what they have open. */
export function socketsOf(pids: readonly number[]): KernelSocket[] {
  const inodes = new Set(pids.flatMap(inodesOf));
  return tables.flatMap(({ file, protocol }) =>
    lines(`/proc/net/${file}`).flatMap((line) => {
      const [, local = "", remote = "", state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (!inodes.has(inode)) return [];
      const isFree = protocol === "udp" && /:0000$/.test(remote);
      return [{ protocol, local: place(local), remote: place(remote), listening: state === listenState || isFree }];
    }),
  );
}

/** What these processes can be reached at. */
export function listeningOf(...pids: number[]): string[] {
  return socketsOf(pids)
    .filter(({ listening }) => listening)
    .map(({ protocol, local }) => (protocol === "tcp" ? local : `${protocol} ${local}`))
    .sort();
}

function inodesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
    } catch {
      return [];
    }
  });
}

function lines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").trim().split("\n").slice(1);
  } catch {
    return [];
  }
}

/** The kernel prints each 32-bit word of an address as the machine stores it. */
function place(text: string): string {
  const [address = "", port = ""] = text.split(":");
  const bytes = (address.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex").reverse()]);
  const shown = bytes.length === 4 ? bytes.join(".") : `[${Buffer.from(bytes).toString("hex")}]`;
  return `${shown}:${Number.parseInt(port, 16)}`;
}
