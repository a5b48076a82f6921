import { hash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createConfig } from "../../agent/config/index.ts";
import { createDataFolder, type DataFolder } from "../../agent/data-folder/index.ts";
import { joinNode, openNodeStore } from "../../agent/node/index.ts";
import { createKeyFile, createSealKey } from "../../agent/seal-key/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { firstConfig as firstEdgeConfig } from "../../edge/index.ts";
import { firstConfig as firstGatewayConfig } from "../../gateway/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import { type Content, type CredentialRole, encodeContent, fingerprintOf, makeFields } from "../../protocol/content/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { PaperVault } from "../../test/support/paper-vault.ts";
import { OwnProcess, runFile } from "./own-process.ts";
import { readAnswer } from "./plant.ts";

const accountsPerDevice = 25;
const zone = "line-4";

/** Who serves: an edge with two values of the pool for each account, or a gateway with one that is to come. */
export type LargeRole = "edge" | "gateway";

/**
 * The data folder of a node with thousands of credentials, which a vault on paper made in one bundle: a plant that registers each takes
 * minutes. The node has run once and taken everything in.
 */
export class LargeNode {
  readonly #role: LargeRole;
  readonly #root = mkdtempSync(join(tmpdir(), "tidegate-large-"));
  readonly paths: readonly string[];
  readonly #token = randomBytes(32).toString("hex");
  #running: OwnProcess | null = null;

  private constructor(role: LargeRole, accounts: number) {
    this.#role = role;
    this.paths = Array.from({ length: accounts }, (_, i) => `${zone}/meter-${Math.floor(i / accountsPerDevice)}/user-${i}`);
  }

  static async prepare(role: LargeRole, accounts: number): Promise<LargeNode> {
    const node = new LargeNode(role, accounts);
    try {
      await node.#join();
      const first = node.start();
      await first.until("its run.json", () => runFile(join(node.#path, "run.json"), first.pid));
      await first.stop();
      return node;
    } catch (error) {
      await node.close();
      throw error;
    }
  }

  /** Starts the node; whom it dials is away. */
  start(): OwnProcess {
    this.#running = OwnProcess.node(this.#role, this.#path);
    return this.#running;
  }

  /** Reads one credential. Throws unless it is answered with a value. */
  async read(path: string): Promise<void> {
    await readAnswer({ socketPath: join(this.#path, "api.sock") }, path, this.#token);
  }

  async close(): Promise<void> {
    await this.#running?.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }

  get #path(): string {
    return join(this.#root, this.#role);
  }

  async #join(): Promise<void> {
    const seams = machineSeams();
    const folder: DataFolder = createDataFolder(this.#path);
    const unlock = { kind: "key-file", path: join(folder.keys, "key-file") } as const;
    createKeyFile(unlock.path, seams.random);
    const key = await createSealKey({ path: folder.sealKey, unlock, random: seams.random });
    const store = openNodeStore(folder, key, seams);
    try {
      const vault = new PaperVault();
      vault.nowS = Math.floor(Date.now() / 1000);
      const role = nodeRole[this.#role];
      const code = vault.enrol(this.#role, role);
      const exchange = async (request: Uint8Array) => vault.answer(request, code, this.#desired());
      await joinNode({ store, code, role, seams, exchange });
      createConfig(folder.config, this.#firstConfig());
    } finally {
      store.close();
      key.wipe();
    }
  }

  #firstConfig() {
    const away = "127.0.0.1:9";
    if (this.#role === "edge") return firstEdgeConfig({ gateway: away, api: null });
    return firstGatewayConfig({ vault: away, edges: null, api: null, apiTls: null });
  }

  #desired(): DesiredEntry[] {
    const devices = Math.ceil(this.paths.length / accountsPerDevice);
    return [
      entry(id(1, 0), {
        kind: "application",
        name: "historian",
        tokenHash: new Uint8Array(hash("sha256", this.#token, "buffer")),
        uid: null,
        grants: [`${zone}/**`],
        disabled: false,
        person: false,
      }),
      ...(this.#role === "edge" ? Array.from({ length: devices }, (_, i) => deviceEntry(i)) : []),
      ...this.paths.flatMap((path, i) => accountEntries(path, i, this.#role)),
    ];
  }
}

function deviceEntry(number: number): DesiredEntry {
  return entry(id(2, number), {
    kind: "device",
    name: `meter-${number}`,
    zone,
    model: "generic-snmpv3",
    host: "127.0.0.1",
    port: 9,
    settings: new Map(),
    timeZone: "UTC",
    windows: [],
    held: false,
  });
}

function accountEntries(path: string, number: number, holder: LargeRole): DesiredEntry[] {
  const accountId = id(3, number);
  const fingerprintKey = new Uint8Array(randomBytes(32));
  const account = entry(accountId, {
    kind: "account",
    deviceId: id(2, Math.floor(number / accountsPerDevice)),
    path,
    username: `user-${number}`,
    rotate: "on-demand",
    intervalS: null,
    windowless: false,
    fingerprintKey,
    breakGlass: false,
    group: null,
    reconcileBy: null,
    rotateOn: 0,
    consumersReady: true,
  });
  const value = (role: CredentialRole, version: number): DesiredEntry => {
    const secret = () => new Uint8Array(Buffer.from(`Aa9${randomBytes(12).toString("hex")}`));
    const fields = makeFields([
      ["authPassword", secret()],
      ["privPassword", secret()],
    ]);
    const fingerprint = fingerprintOf(fingerprintKey, fields);
    const index = { epoch: 1, number: version };
    return entry(id(4 + version, number), { kind: "credential", accountId, index, role, fields, fingerprint });
  };
  if (holder === "gateway") return [account, value("current", 0), value("pending", 1)];
  return [account, value("current", 0), value("pool", 1), value("pool", 2)];
}

function entry(entryId: Uint8Array, content: Content): DesiredEntry {
  return { id: entryId, index: { epoch: 1, number: 1 }, authority: null, ...encodeContent(content) };
}

/** Ids spread as random ones do. */
function id(kind: number, number: number): Uint8Array {
  return new Uint8Array(hash("sha256", `${kind}/${number}`, "buffer").subarray(0, 16));
}
