import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { findProgram } from "./peer-process.ts";
import type { Peer } from "./peer-suite.ts";

const fuse = "/dev/fuse";
const programs = ["fusefat", "mkfs.vfat", "fusermount"].map(findProgram);

/** FAT as sticks have it; by FUSE, because test machines' kernels often have no vfat of their own. */
export const fatPeer: Peer = {
  name: "FAT32 (fusefat)",
  packages: "fusefat dosfstools",
  installed: programs.every((program) => program !== null),
};

/** True where this machine lets somebody mount by FUSE at all. */
export function canMount(): boolean {
  try {
    accessSync(fuse, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A FAT32 file system in a file, mounted on a folder. */
export class FatMedium {
  readonly mount: string;
  readonly #image: string;
  #process: ChildProcess | null = null;

  private constructor(mount: string) {
    this.mount = mount;
    this.#image = `${mount}.img`;
  }

  /** Formats and mounts one. */
  static async make(mount: string, bytes = 40 * 1024 * 1024): Promise<FatMedium> {
    const medium = new FatMedium(mount);
    writeFileSync(medium.#image, "");
    truncateSync(medium.#image, bytes);
    const made = spawnSync(programOf("mkfs.vfat"), ["-F", "32", "-n", "BLUE", medium.#image], { encoding: "utf8" });
    if (made.status !== 0) throw new Error(made.stderr);
    mkdirSync(mount, { recursive: true });
    await medium.plugIn();
    return medium;
  }

  async plugIn(): Promise<void> {
    // What it prints is thrown away: a pipe that fills while this process waits for the file system would stop both.
    const args = ["-f", "-o", "rw+", this.#image, this.mount];
    const child = spawn(programOf("fusefat"), args, { stdio: "ignore" });
    process.once("exit", () => child.kill("SIGKILL"));
    this.#process = child;
    while (!isMounted(this.mount)) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Unmounts it, as "safe to remove" asks for. */
  async takeOut(): Promise<void> {
    if (isMounted(this.mount)) spawnSync(programOf("fusermount"), ["-u", this.mount]);
    const child = this.#process;
    this.#process = null;
    // Unmounted, it ends by itself, once all is in the image.
    if (child !== null && child.exitCode === null) await once(child, "exit");
  }

  async remove(): Promise<void> {
    await this.takeOut();
    rmSync(this.#image, { force: true });
  }
}

function isMounted(mount: string): boolean {
  return readFileSync("/proc/self/mounts", "utf8").includes(` ${mount} fuse`);
}

function programOf(name: string): string {
  const program = findProgram(name);
  if (program === null) throw new Error(`no ${name}`);
  return program;
}
