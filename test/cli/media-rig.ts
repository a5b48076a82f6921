import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AdminRoute } from "../../agent/admin/index.ts";
import { Closing } from "../../agent/closing/index.ts";
import { MediaDesk, mediaRoutes, type Post } from "../../agent/custody/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { exchangeByMedia } from "../../agent/join/media-exchange.ts";
import { createLog } from "../../agent/log/index.ts";
import { joinNode, tryJoin } from "../../agent/node/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { NodeCall } from "../../cli/media/node-call.ts";
import { type FolderRead, readMedia } from "../../cli/media/read.ts";
import { type MediaWritten, writeMedia } from "../../cli/media/write.ts";
import { edgeConfigSchema } from "../../edge/config.ts";
import { openCore as openEdge } from "../../edge/core.ts";
import { joinEdge } from "../../edge/index.ts";
import { edgePost } from "../../edge/media.ts";
import type { EdgeParts } from "../../edge/parts.ts";
import { gatewayConfigSchema } from "../../gateway/config.ts";
import { openCore as openGateway } from "../../gateway/core.ts";
import { gatewayPost } from "../../gateway/media.ts";
import { parseEnrolmentCode } from "../../protocol/join/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { answerJoin } from "../../vault/enrolment/index.ts";
import { TestDevice } from "../edge/test-device.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";
import { VaultRig } from "../vault/vault-rig.ts";

type Test = Parameters<typeof shortFolder>[0];

export const custody = {
  medium: { serial: "ABC123", label: "BLUE", size: 8_000_000_000 },
  login: "eve (uid 1000)",
  person: "Kim",
};
const log = createLog({ level: "silent", node: "test" });

/** A node at which media are written and read. */
export interface MediaNode {
  /** Of the node, as text: its folder's name. */
  readonly id: string;
  readonly call: NodeCall;
  write(mount: string, recipients?: readonly string[]): Promise<MediaWritten>;
  read(mount: string): Promise<FolderRead[]>;
}

/** A real vault and real nodes that only media connect. */
export class MediaRig {
  readonly vault: VaultRig;
  readonly atVault: MediaNode;
  readonly #t: Test;
  readonly #mounts: string;
  #sticks = 0;

  private constructor(t: Test, vault: VaultRig) {
    this.#t = t;
    this.vault = vault;
    this.#mounts = shortFolder(t);
    const { core } = vault;
    const context = { core, wake: () => {}, connected: () => false, vaultAddress: () => "127.0.0.1:7443" };
    this.atVault = mediaNode(core.keys.identity.nodeId, vaultRoutes(context));
  }

  static async make(t: Test): Promise<MediaRig> {
    return new MediaRig(t, await VaultRig.make(t));
  }

  /** An empty medium. */
  stick(): string {
    const path = join(this.#mounts, `stick-${++this.#sticks}`);
    mkdirSync(path);
    return path;
  }

  /** A real edge over a store in memory, joined by hand. */
  async edge(name: string, zone: string, enrolment: object = {}) {
    const store = await this.#joined(2, { name, role: "edge", zone, address: "gateway.test:7444", ...enrolment });
    return this.openEdge(store);
  }

  /** Its process on that store; `seams` are its machine's, the vault's unless given. */
  openEdge(store: MemoryStore, seams: Seams = this.vault.seams, config: object = {}) {
    const closing = new Closing();
    const core = openEdge({
      store,
      config: edgeConfigSchema.parse({ gateway: { address: "gateway.test:7444" }, ...config }),
      seams,
      log,
      adapters: new TestDevice(),
      version: "test",
      folder: null,
      spaceLeft: () => true,
      closing,
    });
    this.#t.teardown(() => closing.run());
    return { ...this.#node(edgePost(core)), core, store, close: () => closing.run() };
  }

  async gateway(name: string) {
    return this.openGateway(await this.#joined(1, { name, role: "gateway", zone: "dmz" }));
  }

  /** Its process on that store. */
  openGateway(store: MemoryStore, changes: object = {}) {
    const closing = new Closing();
    const config = gatewayConfigSchema.parse({ vault: { address: "vault.test:7443" }, ...changes });
    const core = openGateway({ store, config, seams: this.vault.seams, log, version: "test", folder: null, closing });
    this.#t.teardown(() => closing.run());
    return { ...this.#node(gatewayPost({ ...core.parts, ...core.couriers })), core, store, close: () => closing.run() };
  }

  /** An edge that has yet to join: the same request goes onto each stick until one brings the answer. */
  async joining(name: string, zone: string, enrolment: object) {
    const body = { name, role: "edge", zone, media: true, ...enrolment };
    const { code: text } = await this.vault.call("POST", "/v1/codes", body);
    const [store, code, { seams }] = [new MemoryStore(), parseEnrolmentCode(String(text)), this.vault];
    return {
      tryWith: (mount: string) =>
        tryJoin({ store, code, role: 2, seams, exchange: (ask) => exchangeByMedia(ask, { mount, seams }) }),
    };
  }

  /** The same for an edge of plant in a folder of its own, as its command makes it; `join` is given the same way until it brings the member. */
  async joiningFolder() {
    const { seams } = this.vault;
    const body = { name: "edge-1", role: "edge", zone: "plant", media: true };
    const { code } = await this.vault.call("POST", "/v1/codes", body);
    const folder = createDataFolder(join(shortFolder(this.#t), "edge"));
    const unlock = { kind: "key-file", path: join(folder.keys, "key-file") } as const;
    createKeyFile(unlock.path, seams.random);
    const options = { folder, code: String(code), unlock, seams, api: null };
    return { folder, unlock, join: (media: string) => joinEdge({ ...options, media }) };
  }

  /** Changes copies of a stick, a bit, a length or a name at a time, the same ones in each run; returns what `read` makes of each. */
  async mutations<T>(stick: string, count: number, read: (mount: string) => Promise<T>): Promise<T[]> {
    const results: T[] = [];
    for (let i = 0; i < count; i += 1) {
      const mount = this.stick();
      cpSync(stick, mount, { recursive: true });
      const shared = join(mount, "TIDEGATE");
      const files = readdirSync(shared, { recursive: true, encoding: "utf8" })
        .filter((name) => name.includes("/"))
        .sort();
      const file = join(shared, files[i % files.length] ?? "");
      const bytes = readFileSync(file);
      // Bytes all over the file, by a step that has no factor in common with lengths in use.
      const at = (i * 7_919) % bytes.length;
      if (i % 5 === 0) truncateSync(file, at);
      else if (i % 11 === 0) rmSync(file);
      else {
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (i % 8));
        writeFileSync(file, bytes);
      }
      results.push(await read(mount));
    }
    return results;
  }

  /** An edge that runs in its own folder. */
  at(parts: EdgeParts): MediaNode {
    return this.#node(edgePost(parts));
  }

  #node(post: Post): MediaNode {
    return mediaNode(post.nodeId, mediaRoutes(new MediaDesk(post, this.vault.seams)));
  }

  async #joined(role: 1 | 2, enrolment: object): Promise<MemoryStore> {
    const { code } = await this.vault.call("POST", "/v1/codes", enrolment);
    const store = new MemoryStore();
    const exchange = async (request: Uint8Array) => (await answerJoin(this.vault.core, request)).carrier;
    await joinNode({ store, code: parseEnrolmentCode(String(code)), role, seams: this.vault.seams, exchange });
    return store;
  }
}

function mediaNode(nodeId: Uint8Array, routes: readonly AdminRoute[]): MediaNode {
  const call: NodeCall = async (path, body) => {
    const route = routes.find((each) => each.method === "POST" && each.path === `/v1/media/${path}`);
    if (route === undefined) throw new Error(`no call ${path}`);
    const sent: unknown = JSON.parse(JSON.stringify(body));
    return JSON.parse(JSON.stringify((await route.handle({ params: {}, query: {}, body: sent })) ?? null));
  };
  return {
    id: nodeIdText(nodeId),
    call,
    write: (mount, recipients = []) => writeMedia({ call, mount, custody, recipients }),
    read: (mount) => readMedia({ call, mount, custody }),
  };
}
