import { request } from "node:http";
import { join } from "node:path";
import type { Test } from "tap";
import { createDataFolder, type DataFolder } from "../../agent/data-folder/index.ts";
import { identityOf, loadIdentity } from "../../agent/identity/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode } from "../../agent/node/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { machineSeams, type Seams } from "../../agent/seams/index.ts";
import { listenTunnel, type TunnelListener } from "../../agent/tunnel/index.ts";
import { edgeConfigSchema, joinEdge, type RunningEdge, start } from "../../edge/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import type { AuthorityWindow, DesiredEntry } from "../../protocol/bundle/index.ts";
import type { CredentialRole, FactContent, OrderAction } from "../../protocol/content/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, encodeEnrolmentCode } from "../../protocol/join/index.ts";
import { type MemberStatement, nodeRole } from "../../protocol/trust/index.ts";
import { tunnelTrust } from "../../protocol/tunnel/index.ts";
import { joinedNow } from "../support/joined.ts";
import { MemoryMailroom } from "../support/memory-mailroom.ts";
import { MemoryNetwork } from "../support/memory-network.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { accountContent, credentialContent, desired, historianContent, meterContent } from "../support/paper-content.ts";
import { PaperVault } from "../support/paper-vault.ts";
import { patientMeterText } from "../support/patient-meter.ts";
import { shortFolder } from "../support/short-folder.ts";
import { TestDevice } from "./test-device.ts";

const at = (byte: number) => new Uint8Array(16).fill(byte);
const accountId = at(2);
export const token = "token-of-the-historian-0123456789abcdef";

/** A paper vault and a gateway's listener in front of a real edge: real formats, real tunnel, no sockets but the edge's own. */
export class EdgeWorld {
  readonly vault = new PaperVault();
  readonly network = new MemoryNetwork();
  readonly seams: Seams = machineSeams();
  readonly mailroom = new MemoryMailroom();
  readonly device = new TestDevice();
  readonly facts: FactContent[] = [];
  readonly reportBytes: number[] = [];
  readonly folder: DataFolder;
  readonly code: EnrolmentCode;
  /** Entries that the vault wants at the edge. */
  values: [number: number, value: string, role: CredentialRole][] = [[0, "old", "current"]];
  orders: { id: number; action: OrderAction; window: AuthorityWindow }[] = [];
  accounts = 1;
  member: MemberStatement | null = null;
  /** How a join that came to the gateway is answered. */
  answerJoin = (request: Uint8Array): Uint8Array => this.vault.answer(request, this.code, this.desired());
  gatewayId: Uint8Array = new Uint8Array(0);
  #listener: TunnelListener | null = null;
  #waiting: { done: () => boolean; resolve: () => void }[] = [];

  constructor(t: Test) {
    this.folder = createDataFolder(join(shortFolder(t), "edge"));
    this.code = this.vault.enrol("edge-1", nodeRole.edge, "gateway.test:7444");
    t.teardown(() => this.#listener?.close());
    this.vault.nowS = Math.floor(Date.now() / 1000);
  }

  get unlock() {
    return { kind: "key-file", path: join(this.folder.keys, "key-file") } as const;
  }

  /** Opens the listener of a newly enrolled gateway; one that listens already goes. */
  async listen(name = "gateway-1"): Promise<void> {
    await this.#listener?.close();
    const store = new MemoryStore();
    const code = this.vault.enrol(name, nodeRole.gateway);
    const exchange = async (request: Uint8Array) => this.vault.answer(request, code);
    const member = await joinNode({ store, code, role: nodeRole.gateway, seams: this.seams, exchange });
    const seeds = store.read(loadIdentity);
    if (seeds === null) throw new Error("no identity");
    const { signing } = identityOf(seeds);
    const envelope = this.vault.trust.members.get(Buffer.from(member.nodeId).toString("hex"))?.envelope;
    if (envelope === undefined) throw new Error("no statement");
    this.mailroom.answer = (item) => {
      // A notice is for the gateway itself.
      if (sameBytes(item.mailbox, member.nodeId)) return "stored";
      const { facts } = this.vault.ingest(item.carrier);
      this.reportBytes.push(item.carrier.length);
      this.facts.push(...facts);
      queueMicrotask(() => this.#look());
      return "stored";
    };
    this.gatewayId = member.nodeId;
    this.#listener = await listenTunnel({
      node: {
        nodeId: member.nodeId,
        signing,
        member: () => envelope,
        trust: () => tunnelTrust(this.vault.trust),
        learn: () => {},
        mailroom: this.mailroom,
        seams: this.seams,
      },
      address: "gateway.test:7444",
      listen: this.network.listen(member.tlsKeyHash),
      admit: ({ role }) => role === nodeRole.edge,
      onJoin: async (carrier) => ({ carrier: this.answerJoin(carrier) }),
      report: () => {},
    });
  }

  async join(): Promise<MemberStatement> {
    createKeyFile(this.unlock.path, this.seams.random);
    const { folder, unlock, seams } = this;
    const code = encodeEnrolmentCode(this.code);
    this.member = joinedNow(await joinEdge({ folder, code, unlock, seams, api: null, dial: this.network.dial(null) }));
    return this.member;
  }

  /** Starts the edge; `dial` leads elsewhere than to the network of this world. */
  start(changes: object = {}, dial = this.network.dial(this.member?.tlsKeyHash ?? null)): Promise<RunningEdge> {
    const config = edgeConfigSchema.parse({ gateway: { address: "gateway.test:7444" }, ...changes });
    const log = createLog({ level: "silent", node: "edge" });
    return start({ folder: this.folder, config, version: "0.0.0" }, this.seams, this.unlock, {
      adapters: this.device,
      dial,
      log,
    });
  }

  /** Sends what changed to the edge's mailbox; with statements, all of it. */
  send(statements: readonly Uint8Array[] = []): this {
    const { vault, nodeId } = this;
    const carrier =
      statements.length > 0 ? vault.snapshot(nodeId, this.desired(), statements) : vault.delta(nodeId, this.desired());
    if (carrier !== null) void this.deliver(carrier);
    return this;
  }

  /** Puts any carrier into the edge's mailbox, as the gateway that keeps it can; resolves when the edge has answered. */
  async deliver(carrier: Uint8Array): Promise<void> {
    const { id } = decodeEnvelope(decodeCarrier(carrier).envelope);
    const answers = this.mailroom.answers.length;
    this.mailroom.put({ mailbox: this.nodeId, id, carrier });
    this.#listener?.wake(this.nodeId);
    await this.mailroom.until(() => this.mailroom.answers.length > answers);
  }

  get nodeId(): Uint8Array {
    if (this.member === null || this.#listener === null) throw new Error("not joined");
    return this.member.nodeId;
  }

  order(action: OrderAction, forS = 3600): this {
    const { nowS } = this.vault;
    this.orders.push({ id: 100 + this.orders.length, action, window: { notBefore: nowS - 60, notAfter: nowS + forS } });
    return this.send();
  }

  /** Resolves once `done` holds; looked at after each report. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  /** Resolves once `done` holds; looked at often, for what no report tells. The test's own time limit ends a wait in vain. */
  async dialled(done: () => boolean): Promise<void> {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Outcomes of the rotation facts so far. */
  get reports(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "rotation" ? [`${fact.outcome} ${fact.index.number}`] : []));
  }

  read(path = "plant-1/meter/operator"): Promise<{ status: number; body: Record<string, unknown> }> {
    return this.get(`/v1/credentials/${path}`);
  }

  get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
    const headers = { "x-tidegate-request": "true", authorization: `Bearer ${token}`, host: "localhost" };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.folder.apiSocket, path, headers }, async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(chunks).toString() || "{}") });
      });
      call.on("error", reject);
      call.end();
    });
  }

  #look(): void {
    const ready = this.#waiting.filter(({ done }) => done());
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }

  desired(): DesiredEntry[] {
    const credential = (id: Uint8Array, of: Uint8Array, value: (typeof this.values)[number]) =>
      desired(id, credentialContent(of, value));
    const many = Array.from({ length: this.accounts - 1 }, (_, i) => {
      const id = (kind: number) => Uint8Array.of(kind, i >> 8, i & 0xff, ...new Uint8Array(13));
      const account = desired(id(0xa0), accountContent(at(1), `plant-1/meter/user-${i}`));
      return [account, credential(id(0xb0), id(0xa0), [0, `secret-${i}`, "current"])];
    });
    const yaml = patientMeterText();
    return [
      desired(at(4), { kind: "model", name: "patient-meter", yaml }),
      desired(at(1), meterContent()),
      desired(accountId, accountContent(at(1), "plant-1/meter/operator")),
      desired(at(3), historianContent(token, ["plant-1/**"])),
      ...this.values.map((value) => credential(at(16 + value[0]), accountId, value)),
      ...this.orders.map(({ id, action, window: authority }) =>
        desired(at(id), { kind: "order", accountId, action, cause: "operator", now: false }, { authority }),
      ),
      ...many.flat(),
    ];
  }
}
