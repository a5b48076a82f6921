import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callAdmin } from "../../agent/admin/index.ts";
import { dataFolderAt, type NodeRole, type RunFile, readRunFile } from "../../agent/data-folder/index.ts";
import { CliError } from "../frame/index.ts";
import { endChildren, type Running, runTidegate, runTidegateJson, startNode } from "./processes.ts";
import { until } from "./wait.ts";

/** Each zone of the plant is a loopback address of its own, so that "who listens where" means something on one machine. */
export const zones = { vault: "127.10.0.1", dmz: "127.20.0.1", edges: "127.20.0.2", segment: "127.30.0.1" } as const;

/** One secret of the demo's account and where it stands. */
export interface CredentialOfVault {
  readonly version: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A vault, a gateway and an edge on this machine, each a process with a folder of its own. */
export class DemoSystem {
  readonly root: string;
  readonly #running = new Map<string, Running>();

  constructor() {
    this.root = mkdtempSync(join(tmpdir(), "tidegate-demo-"));
  }

  folder(name: string): string {
    return join(this.root, name);
  }

  /** Runs `tidegate` on the vault's folder, giving its JSON. */
  vault<T>(args: readonly string[], input = ""): Promise<T> {
    return runTidegateJson<T>([...args, "--data", this.folder("vault")], input);
  }

  async start(role: NodeRole): Promise<Running & { run: RunFile }> {
    const running = await startNode(role, this.folder(role));
    this.#running.set(role, running);
    const run = readRunFile(dataFolderAt(this.folder(role)));
    if (run === null) throw new CliError("CLI_DEMO", `${role} has no run.json`);
    return { ...running, run };
  }

  /** Takes care of another process, a device. */
  own(running: Running): void {
    this.#running.set(running.name, running);
  }

  async stop(name: string): Promise<void> {
    await this.#running.get(name)?.stop();
    this.#running.delete(name);
  }

  /** Has the vault enrol a node and joins it, the code going through a file. */
  async join(options: {
    role: "gateway" | "edge";
    name: string;
    enroll: readonly string[];
    join: readonly string[];
  }): Promise<void> {
    const { role, name } = options;
    const code = join(this.root, `${name}.code`);
    await this.vault(["vault", "enroll", name, "--role", role, ...options.enroll, "--out", code]);
    await runTidegate([role, "join", "--data", this.folder(role), "--from-file", code, ...options.join]);
    rmSync(code);
  }

  /** The status of a running node. */
  async status<T>(role: NodeRole): Promise<T> {
    return (await callAdmin(this.folder(role), { method: "GET", path: "/v1/status" })) as T;
  }

  /** The version in use as the vault knows it, with its secrets. */
  reveal(path: string): Promise<CredentialOfVault> {
    return this.vault<CredentialOfVault>(["credential", "show", path, "--reveal"]);
  }

  /** Waits until the edge holds an account, at `version` where one is given. */
  async edgeHolds(path: string, version?: string): Promise<void> {
    await until(`the edge to hold ${path}`, async () => {
      const query = `/v1/rotation?path=${encodeURIComponent(path)}`;
      const found = (await callAdmin(this.folder("edge"), { method: "GET", path: query })) as { version: string };
      return version === undefined ? found.version !== "" || null : found.version === version || null;
    });
  }

  /** A file of the demo, its owner's alone. */
  write(name: string, text: string): string {
    const path = join(this.root, name);
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  read(path: string): string {
    return readFileSync(path, "utf8");
  }

  /** Ends every process of ours, newest first, and removes the folder unless it is to be kept. */
  async close(options: { keep: boolean }): Promise<void> {
    for (const running of [...this.#running.values()].reverse()) await running.stop();
    this.#running.clear();
    await endChildren();
    if (!options.keep) rmSync(this.root, { recursive: true, force: true });
  }
}
