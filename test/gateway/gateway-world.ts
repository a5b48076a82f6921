import { request } from "node:http";
import { join } from "node:path";
import type { Test } from "tap";
import { createDataFolder, type DataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode, nodeMailroom, type OpenedNode, openNode } from "../../agent/node/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { machineSeams, type Seams } from "../../agent/seams/index.ts";
import { type DialledTunnel, dialTunnel, listenTunnel, requestJoin, type TunnelListener } from "../../agent/tunnel/index.ts";
import { gatewayConfigSchema, joinGateway, type RunningGateway, start } from "../../gateway/index.ts";
import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import type { FactContent } from "../../protocol/content/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, encodeEnrolmentCode } from "../../protocol/join/index.ts";
import { type MemberStatement, nodeRole } from "../../protocol/trust/index.ts";
import { tunnelTrust } from "../../protocol/tunnel/index.ts";
import { joinedNow } from "../support/joined.ts";
import { MemoryMailroom } from "../support/memory-mailroom.ts";
import { MemoryNetwork } from "../support/memory-network.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { PaperVault } from "../support/paper-vault.ts";
import { shortFolder } from "../support/short-folder.ts";

const vaultAddress = "vault.test:7443";
const edgesAddress = "gateway.test:7444";
const log = createLog({ level: "silent", node: "test" });

/** An edge's half that matters to a gateway: a joined node and its tunnel. */
export interface WorldEdge {
  readonly opened: OpenedNode;
  readonly store: MemoryStore;
  readonly tunnel: DialledTunnel;
}

/** A paper vault, a real gateway and joined edges on a network in memory: real formats and tunnels, no sockets but the gateway's own. */
export class GatewayWorld {
  readonly vault = new PaperVault();
  readonly network = new MemoryNetwork();
  readonly seams: Seams = machineSeams();
  /** The vault's mailroom: what it sends, and what arrived there. */
  readonly mailroom = new MemoryMailroom();
  readonly facts: { from: string; fact: FactContent }[] = [];
  readonly folder: DataFolder;
  readonly code: EnrolmentCode;
  readonly edgeCodes: EnrolmentCode[] = [];
  member: MemberStatement | null = null;
  /** What the vault wants at the gateway. */
  desired: DesiredEntry[] = [];
  refuseJoins = false;
  #vaultListener: TunnelListener | null = null;
  readonly #t: Test;
  #waiting: { done: () => boolean; resolve: () => void }[] = [];

  constructor(t: Test) {
    this.#t = t;
    this.folder = createDataFolder(join(shortFolder(t), "g"));
    this.code = this.vault.enrol("gateway-1", nodeRole.gateway, vaultAddress);
    this.vault.nowS = Math.floor(Date.now() / 1000);
    t.teardown(() => this.#vaultListener?.close());
  }

  get unlock() {
    return { kind: "key-file", path: join(this.folder.keys, "key-file") } as const;
  }

  get gatewayId(): Uint8Array {
    if (this.member === null) throw new Error("not joined");
    return this.member.nodeId;
  }

  /** Opens the vault's listener. */
  async openVault(): Promise<void> {
    this.mailroom.answer = (item) => this.#arrived(item.carrier);
    const { vault } = this;
    this.#vaultListener = await listenTunnel({
      node: {
        nodeId: vault.statement.nodeId,
        signing: vault.signer,
        member: () => vault.trust.members.get(toHex(vault.statement.nodeId))?.envelope ?? new Uint8Array(0),
        trust: () => tunnelTrust(vault.trust),
        learn: () => {},
        mailroom: this.mailroom,
        seams: this.seams,
      },
      address: vaultAddress,
      listen: this.network.listen(vault.statement.tlsKeyHash),
      admit: ({ role }) => role === nodeRole.gateway,
      onJoin: async (carrier) => ({ carrier: vault.answer(carrier, this.code, this.desired) }),
      report: () => {},
    });
  }

  async closeVault(): Promise<void> {
    await this.#vaultListener?.close();
    this.#vaultListener = null;
  }

  /** Joins and starts the gateway. */
  async start(changes: object = {}): Promise<RunningGateway> {
    if (this.member === null) {
      createKeyFile(this.unlock.path, this.seams.random);
      const { folder, unlock, seams } = this;
      const code = encodeEnrolmentCode(this.code);
      const none = { edges: null, api: null, apiTls: null };
      this.member = joinedNow(await joinGateway({ ...none, folder, code, unlock, seams, dial: this.network.dial(null) }));
    }
    const config = gatewayConfigSchema.parse({ vault: { address: vaultAddress }, edges: { listen: edgesAddress }, ...changes });
    const { tlsKeyHash } = this.member;
    const ports = { dial: this.network.dial(tlsKeyHash), listen: this.network.listen(tlsKeyHash), log };
    const running = await start({ folder: this.folder, config, version: "0.0.0" }, this.seams, this.unlock, ports);
    running.parts.node.onChanged(() => queueMicrotask(() => this.look()));
    this.#t.teardown(() => running.close());
    return running;
  }

  /** Joins an edge through the gateway. */
  async joinEdge(name = "edge-1"): Promise<{ store: MemoryStore; member: MemberStatement }> {
    const code = this.vault.enrol(name, nodeRole.edge, edgesAddress);
    this.edgeCodes.push(code);
    const store = new MemoryStore();
    const { seams } = this;
    const exchange = (carrier: Uint8Array) =>
      requestJoin({ address: edgesAddress, carrier, dial: this.network.dial(null), seams });
    return { store, member: await joinNode({ store, code, role: nodeRole.edge, seams, exchange }) };
  }

  /** Opens a joined edge and dials the gateway. */
  openEdge(store: MemoryStore, member: MemberStatement): WorldEdge {
    const { seams } = this;
    const wall = { gapMs: 0, trusted: false };
    const hooks = { capabilities: [] };
    const opened = openNode({
      store,
      seams,
      log,
      hooks,
      wall,
      role: "edge",
      version: "1",
      auditFolder: null,
      onStopped: () => {},
    });
    const { node } = opened;
    const tunnel = dialTunnel({
      node: {
        nodeId: node.nodeId,
        signing: node.identity.signing,
        member: () => node.member().envelope,
        trust: () => tunnelTrust(node.trust()),
        learn: (statements) => node.learn(statements),
        mailroom: nodeMailroom(node),
        seams,
      },
      peer: () => this.gatewayId,
      address: edgesAddress,
      dial: this.network.dial(member.tlsKeyHash),
      nextCounter: () => node.nextTunnelCounter(),
      report: () => this.look(),
    });
    node.onOutgoing(() => tunnel.wake());
    node.onChanged(() => queueMicrotask(() => this.look()));
    this.#t.teardown(async () => {
      await tunnel.close();
      await opened.close();
    });
    return { opened, store, tunnel };
  }

  /** Sends a bundle by way of the gateway. */
  send(nodeId: Uint8Array, carrier: Uint8Array | null): void {
    if (carrier === null) return;
    const { id } = decodeEnvelope(decodeCarrier(carrier).envelope);
    this.mailroom.put({ mailbox: nodeId, id, carrier });
    this.#vaultListener?.wake(this.gatewayId);
  }

  /** Resolves once `done` holds; looked at after each thing that happens at the vault or at an edge. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  look(): void {
    const ready = this.#waiting.filter(({ done }) => done());
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }

  /** A call of the gateway's local API over its Unix socket. */
  get(path: string, token: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { "x-tidegate-request": "true", authorization: `Bearer ${token}`, host: "localhost" };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.folder.apiSocket, path, headers, agent: false }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString() || "{}") });
      });
      call.on("error", reject);
      call.end();
    });
  }

  #arrived(carrier: Uint8Array): "stored" | "refused" {
    const envelope = decodeEnvelope(decodeCarrier(carrier).envelope);
    queueMicrotask(() => this.look());
    if (envelope.type === "join") return this.#joinOf(carrier, envelope.signatures[0]?.keyId ?? new Uint8Array(0));
    const { facts, from } = this.vault.ingest(carrier);
    this.facts.push(...facts.map((fact) => ({ from, fact })));
    return "stored";
  }

  #joinOf(carrier: Uint8Array, nodeId: Uint8Array): "stored" | "refused" {
    const code = this.edgeCodes.at(-1);
    if (this.refuseJoins || code === undefined) return "refused";
    const answer = this.vault.answer(carrier, code, []);
    if (sameBytes(nodeId, this.gatewayId)) throw new Error("the gateway joined by itself");
    this.send(nodeId, answer);
    return "stored";
  }
}
