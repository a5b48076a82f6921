import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** What this machine says of a medium. */
export interface Medium {
  /** Serial number, else the name under `/dev/disk/by-id`; `unknown` where the machine knows neither. */
  readonly serial: string;
  /** Label of the file system, `unknown` where there is none or nobody says. */
  readonly label: string;
  /** Bytes of the partition or disk; null where nobody says. */
  readonly size: number | null;
}

/** Where the kernel tells of block devices; other folders in tests. */
export interface DeviceFolders {
  readonly proc: string;
  readonly sys: string;
  readonly dev: string;
}

const unknown = "unknown";
const machine: DeviceFolders = { proc: "/proc", sys: "/sys", dev: "/dev" };
/** Links of one folder that are looked at, and folders from a block device up to its bus. */
const most = { links: 1_024, parents: 12 } as const;
const textLength = 128;
const sectorBytes = 512;

/** What is known of the medium that is mounted at `mount`: honest where nothing is, as on a network share. */
export function identifyMedium(mount: string, folders: DeviceFolders = machine): Medium {
  const device = deviceOf(mount, folders);
  if (device === null) return { serial: unknown, label: unknown, size: null };
  const block = quiet(() => realpathSync(join(folders.sys, "dev/block", device)));
  const name = block === null ? null : basename(block);
  const sectors = block === null ? null : quiet(() => Number(readFileSync(join(block, "size"), "latin1")));
  return {
    serial: (block === null ? null : serialAbove(block)) ?? linkTo(folders, "by-id", name) ?? unknown,
    label: linkTo(folders, "by-label", name) ?? unknown,
    size: sectors === null || !Number.isSafeInteger(sectors) ? null : sectors * sectorBytes,
  };
}

/** The device number of what is mounted at the longest mount point above the path: `major:minor`. */
function deviceOf(mount: string, { proc }: DeviceFolders): string | null {
  const path = quiet(() => realpathSync(mount));
  const table = quiet(() => readFileSync(join(proc, "self/mountinfo"), "utf8"));
  if (path === null || table === null) return null;
  let found: { readonly point: string; readonly device: string } | null = null;
  for (const line of table.split("\n")) {
    const [, , device = "", , escaped = ""] = line.split(" ");
    const point = unescaped(escaped);
    const above = point === "/" || path === point || path.startsWith(`${point}/`);
    // Of two mounts at one point the later one is seen.
    if (point !== "" && above && point.length >= (found?.point.length ?? 0)) found = { point, device };
  }
  return found?.device ?? null;
}

/** Blanks in mountinfo and in udev's names. */
function unescaped(text: string): string {
  const bytes = text.replace(/\\(?:x([0-9a-fA-F]{2})|([0-7]{3}))/g, (_all, hex?: string, octal?: string) =>
    String.fromCharCode(hex === undefined ? Number.parseInt(octal ?? "0", 8) : Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "utf8").length === bytes.length ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

/** The serial number that the device, or the bus that it hangs on, tells. */
function serialAbove(block: string): string | null {
  let folder = block;
  for (let up = 0; up < most.parents && folder !== "/"; up += 1, folder = dirname(folder)) {
    for (const file of ["serial", "device/serial"]) {
      const serial = cleaned(quiet(() => readFileSync(join(folder, file), "utf8")));
      if (serial !== null) return serial;
    }
  }
  return null;
}

/** The name under which udev lists the device in `/dev/disk/<kind>`. */
function linkTo({ dev }: DeviceFolders, kind: "by-id" | "by-label", name: string | null): string | null {
  if (name === null) return null;
  const folder = join(dev, "disk", kind);
  const names = quiet(() => readdirSync(folder)) ?? [];
  const found = names.slice(0, most.links).find((each) => {
    const path = join(folder, each);
    return quiet(() => lstatSync(path).isSymbolicLink() && basename(readlinkSync(path)) === name) === true;
  });
  return cleaned(found === undefined ? null : unescaped(found));
}

/** What a device says of itself is somebody else's word: one line, not too long. */
function cleaned(text: string | null): string | null {
  const plain = (text ?? "")
    .toWellFormed()
    .replace(/\p{Cc}/gu, " ")
    .trim()
    .slice(0, textLength)
    .toWellFormed();
  return plain === "" ? null : plain;
}

function quiet<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}
