import { join } from "node:path";
import type { AdminRoute } from "../../agent/admin/index.ts";
import { openDataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode, type NodeHooks, type OpenedNode, openNode } from "../../agent/node/index.ts";
import { createKeyFile, type Unlock } from "../../agent/seal-key/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Fact } from "../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { answerJoin } from "../../vault/enrolment/index.ts";
import { ingestCarrier } from "../../vault/ingest/index.ts";
import { initVault } from "../../vault/init/index.ts";
import { type OpenVault, openVault } from "../../vault/open-vault.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";
import { passwordModel, random } from "./rig.ts";

type Test = Parameters<typeof shortFolder>[0];

/** Time that stands until the test moves it; timers never fire by themselves. */
export class StillSeams implements Seams {
  nowMs = 1_900_000_000_000;
  readonly random = random;
  readonly clock = { wallMs: () => this.nowMs, sinceBootMs: () => this.nowMs - 1_800_000_000_000, bootId: () => "boot-1" };
  readonly timers = { after: () => () => {} };
  readonly failpoint = () => {};
}

/** A vault in a folder, its admin calls, and nodes joined to it, all without a socket. */
export class VaultRig {
  readonly seams = new StillSeams();
  readonly folder: string;
  vault: OpenVault;
  readonly #unlock: Unlock;

  private constructor(folder: string, unlock: Unlock, vault: OpenVault, seams: StillSeams) {
    this.folder = folder;
    this.#unlock = unlock;
    this.vault = vault;
    this.seams = seams;
  }

  static async make(t: Test): Promise<VaultRig> {
    const parent = shortFolder(t);
    const folder = join(parent, "v");
    const keyFile = join(parent, "key");
    createKeyFile(keyFile, random);
    const unlock: Unlock = { kind: "key-file", path: keyFile };
    const seams = new StillSeams();
    await initVault({
      path: folder,
      unlock: async () => unlock,
      trustDomain: "plant.example",
      listen: "127.0.0.1:0",
      advertise: null,
      version: "test",
      seams,
    });
    const rig = new VaultRig(folder, unlock, await reopened(folder, unlock, seams), seams);
    t.teardown(() => rig.vault.close());
    return rig;
  }

  get core() {
    return this.vault.core;
  }

  /** The vault's process ends and another begins. */
  async reopen(): Promise<void> {
    await this.vault.close();
    this.vault = await reopened(this.folder, this.#unlock, this.seams);
  }

  /** The vault that lies in another folder under the same key; the caller has closed this one. */
  async openFolder(folder: string): Promise<VaultRig> {
    return new VaultRig(folder, this.#unlock, await reopened(folder, this.#unlock, this.seams), this.seams);
  }

  /** Calls the admin API as the command line does. */
  async call(method: AdminRoute["method"], path: string, body?: unknown): Promise<Record<string, unknown>> {
    const [plain = "", search = ""] = path.split("?");
    const routes = vaultRoutes({
      core: this.core,
      wake: () => {},
      connected: () => false,
      vaultAddress: () => "127.0.0.1:7443",
    });
    for (const route of routes) {
      const params = match(route.path, plain);
      if (route.method !== method || params === null) continue;
      return (await route.handle({ params, query: Object.fromEntries(new URLSearchParams(search)), body })) as Record<
        string,
        unknown
      >;
    }
    throw new Error(`no call ${method} ${path}`);
  }

  /** Enrols and joins a node with the real node code over a store in memory. */
  async join(t: Test, enrolment: Record<string, unknown>, hooks: Partial<NodeHooks> = {}): Promise<TestNode> {
    const { code } = await this.call("POST", "/v1/codes", enrolment);
    const store = new MemoryStore();
    const exchange = async (request: Uint8Array) => (await answerJoin(this.core, request)).carrier;
    const role = enrolment["role"] === "gateway" ? 1 : 2;
    await joinNode({ store, code: parseEnrolmentCode(String(code)), role, seams: this.seams, exchange });
    return this.open(t, store, { role: enrolment["role"] as "gateway" | "edge", hooks });
  }

  /** Opens a node that has joined. */
  open(t: Test, store: MemoryStore, options: { role: "gateway" | "edge"; hooks?: Partial<NodeHooks> }): TestNode {
    const opened = openNode({
      store,
      seams: this.seams,
      log: createLog({ level: "silent", node: "test" }),
      hooks: { capabilities: [], ...options.hooks },
      wall: { gapMs: 60_000, trusted: true },
      role: options.role,
      version: "test",
      auditFolder: null,
      onStopped: (code) => {
        throw new Error(code);
      },
    });
    t.teardown(() => opened.close());
    return new TestNode(this, opened, store);
  }

  /** A node of another rig, which from now on deals with this vault. */
  adopt(node: TestNode): TestNode {
    return new TestNode(this, { node: node.node, audit: node.audit, close: async () => {} }, node.store);
  }

  /** Registers `ZONE/pump` with the account `operator`. */
  async addPump(zone: string, more: Record<string, unknown> = {}): Promise<void> {
    await this.call("POST", "/v1/devices", {
      name: "pump",
      zone,
      model: { name: "generic", constraints: passwordModel },
      host: "10.0.0.9",
      port: 161,
      accounts: [{ name: "operator", username: "operator" }],
      ...more,
    });
  }

  async setPassword(path: string, password: string): Promise<string> {
    const fields = { password: Buffer.from(password).toString("base64") };
    return String((await this.call("PUT", "/v1/credentials", { path, fields }))["version"]);
  }

  async outbox(nodeId: Uint8Array): Promise<Uint8Array[]> {
    const rows = await this.core.store.read((tx) =>
      tx.selectFrom("outbox").select("carrier").where("node_id", "=", nodeId).orderBy("seq").execute(),
    );
    return rows.map((row) => row.carrier);
  }
}

/** A joined node whose carriers the test takes to and fro. */
export class TestNode {
  readonly node: OpenedNode["node"];
  readonly audit: OpenedNode["audit"];
  readonly store: MemoryStore;
  readonly #rig: VaultRig;

  constructor(rig: VaultRig, opened: OpenedNode, store: MemoryStore) {
    this.#rig = rig;
    this.node = opened.node;
    this.audit = opened.audit;
    this.store = store;
  }

  /** Brings everything that waits, both ways, until nothing new comes. Returns what became of each item at the node. */
  async exchange(): Promise<string[]> {
    const outcomes: string[] = [];
    const seen = new Set<string>();
    const isNew = (carrier: Uint8Array) => seen.size < seen.add(Buffer.from(idOf(carrier)).toString("hex")).size;
    for (let round = 0; round < 8; round += 1) {
      const before = outcomes.length;
      for (const carrier of await this.#rig.outbox(this.node.nodeId)) {
        if (!isNew(carrier)) continue;
        const result = this.node.applyCarrier(carrier);
        if (result.outcome !== "duplicate") outcomes.push(result.outcome === "refused" ? result.code : result.outcome);
      }
      this.node.flushReport();
      for (const report of this.reports()) {
        if (!isNew(report)) continue;
        const { outcome, code } = await ingestCarrier(this.#rig.core, report);
        if (outcome !== "duplicate") outcomes.push(`report ${code ?? outcome}`);
      }
      if (outcomes.length === before) return outcomes;
    }
    throw new Error(`node and vault do not come to rest: ${outcomes.join(", ")}`);
  }

  /** Puts facts into a report and seals it. */
  report(facts: readonly Fact[]): void {
    this.store.transaction((tx) => this.node.queueReport(tx, facts));
    this.node.flushReport();
  }

  /** The same node a second time, as from a copied disk. */
  copy(t: Test): TestNode {
    return this.#rig.open(t, this.store.reopen(), { role: "edge" });
  }

  reports(): Uint8Array[] {
    return this.node.reports(null, { items: 100, bytes: 1e9 }).map(({ carrier }) => carrier);
  }

  /** The account's values by role, as text. */
  values(path: string): Record<string, string[]> {
    return this.node.withState((view) => {
      const account = [...view.accounts].find(([, held]) => held.content.path === path)?.[0] ?? "";
      const out: Record<string, string[]> = {};
      for (const { content } of view.credentials.get(account) ?? []) {
        const text = content.fields.map(({ value }) => Buffer.from(value).toString()).join();
        out[content.role] = [...(out[content.role] ?? []), text];
      }
      return out;
    });
  }

  /** A version as the node holds it. */
  version(path: string, number: number): { readonly fingerprint: Uint8Array } {
    const account = Buffer.from(this.accountId(path)).toString("hex");
    return this.node.withState((view) => {
      for (const { content } of view.credentials.get(account) ?? []) if (content.index.number === number) return content;
      throw new Error(`the node has no version ${number} of ${path}`);
    });
  }

  accountId(path: string): Uint8Array {
    return this.node.withState((view) => {
      for (const { entry, content } of view.accounts.values()) if (content.path === path) return entry.id;
      throw new Error(`the node has no account ${path}`);
    });
  }
}

/** The id of a carrier's envelope. */
export function idOf(carrier: Uint8Array): Uint8Array {
  return decodeEnvelope(decodeCarrier(carrier).envelope).id;
}

function reopened(folder: string, unlock: Unlock, seams: StillSeams): Promise<OpenVault> {
  const log = createLog({ level: "silent", node: "vault" });
  return openVault({ folder: openDataFolder(folder), unlock, seams, version: "test", log });
}

function match(route: string, path: string): Record<string, string> | null {
  const names = route.split("/");
  const parts = path.split("/");
  if (names.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [i, name] of names.entries()) {
    if (name.startsWith(":")) params[name.slice(1)] = parts[i] ?? "";
    else if (name !== parts[i]) return null;
  }
  return params;
}
