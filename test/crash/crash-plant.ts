import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { callAdmin } from "../../agent/admin/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { createKeyFile, type Unlock } from "../../agent/seal-key/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { freePort } from "../../cli/demo/index.ts";
import { joinEdge } from "../../edge/index.ts";
import { joinGateway } from "../../gateway/index.ts";
import { initVault } from "../../vault/index.ts";
import type { AdapterKind } from "./devices.ts";
import { NodeChild, type NodeChildOptions } from "./node-child.ts";

const version = "crash rig";
const zones = { vault: "127.10.0.1", edges: "127.20.0.2" } as const;
const seams = machineSeams();

export interface CrashPlantOptions {
  /** One edge for each. */
  readonly adapters: readonly AdapterKind[];
  /** A module that every edge loads first: a planted bug. */
  readonly planted?: string | undefined;
}

/** A vault, a gateway and an edge for each adapter, every one a process of its own that can be killed at a failpoint. */
export class CrashPlant {
  readonly #root = mkdtempSync(join(tmpdir(), "tidegate-crash-"));
  readonly #nodes: NodeChild[] = [];
  readonly edges = new Map<AdapterKind, NodeChild>();
  readonly vault: NodeChild;

  private constructor() {
    this.vault = this.#node({ role: "vault", folder: join(this.#root, "vault") });
  }

  static async start({ adapters, planted }: CrashPlantOptions): Promise<CrashPlant> {
    const plant = new CrashPlant();
    try {
      await plant.#open(adapters, planted);
      return plant;
    } catch (error) {
      await plant.close();
      throw error;
    }
  }

  /** Ends every process and removes every folder. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #open(adapters: readonly AdapterKind[], planted: string | undefined): Promise<void> {
    await initVault({
      path: this.vault.folder,
      unlock: async (folder) => keyFileAt(folder.keys),
      trustDomain: "crash.example",
      listen: `${zones.vault}:${await freePort(zones.vault)}`,
      advertise: null,
      version,
      seams,
    });
    await this.vault.start();
    const edges = `${zones.edges}:${await freePort(zones.edges)}`;
    const gateway = this.#node({ role: "gateway", folder: join(this.#root, "gateway") });
    const passes = { seams, vault: undefined, edges, api: null, apiTls: null };
    await joinGateway({ ...(await this.#joining(gateway, { name: "gw-1", role: "gateway", zone: "dmz" })), ...passes });
    await gateway.start();
    for (const adapter of adapters) {
      const edge = this.#node({ role: "edge", folder: join(this.#root, adapter), planted });
      const place = { name: `edge-${adapter}`, role: "edge", zone: adapter, via: "gw-1", address: edges };
      await joinEdge({ ...(await this.#joining(edge, place)), seams, gateway: undefined, api: null });
      await edge.start();
      this.edges.set(adapter, edge);
    }
  }

  async #joining(node: NodeChild, body: unknown) {
    const { code } = (await callAdmin(this.vault.folder, { method: "POST", path: "/v1/codes", body })) as { code: string };
    const folder = createDataFolder(node.folder);
    return { folder, code, unlock: keyFileAt(folder.keys) };
  }

  #node(options: Omit<NodeChildOptions, "compiled">): NodeChild {
    // A run of many tests has what these processes load already compiled.
    const compiled = process.env["NODE_COMPILE_CACHE"] ?? join(this.#root, "compiled");
    const node = new NodeChild({ ...options, compiled });
    this.#nodes.push(node);
    return node;
  }
}

function keyFileAt(keys: string): Unlock {
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  const path = join(keys, "key-file");
  createKeyFile(path, seams.random);
  return { kind: "key-file", path };
}
