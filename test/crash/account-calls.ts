import { request } from "node:http";
import { type AdminCall, callAdmin } from "../../agent/admin/index.ts";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import { loadModel } from "../../firmware-adapters/index.ts";
import type { AdapterKind, CrashDevice, Fields } from "./devices.ts";
import type { NodeChild } from "./node-child.ts";

/** Where an account stands at its edge. */
export interface Standing {
  readonly version: string;
  readonly state: string;
  readonly pool: number;
  readonly waiting: string | null;
}

/** Values that the vault keeps ready at an edge for each account. */
const fullPool = 2;
const deviceName = "device-1";

/** What people and applications ask vault and edge about one account. */
export class AccountCalls {
  readonly vault: NodeChild;
  readonly edge: NodeChild;
  readonly path: string;
  readonly #zone: AdapterKind;
  #token = "";

  constructor(place: { vault: NodeChild; edge: NodeChild; zone: AdapterKind; username: string }) {
    this.vault = place.vault;
    this.edge = place.edge;
    this.#zone = place.zone;
    this.path = `${place.zone}/${deviceName}/${place.username}`;
  }

  /** Registers the device with the password that it came with. */
  async adopt(device: CrashDevice): Promise<void> {
    const model = loadModel(device.model);
    const { admin } = device;
    const adminPath = `${this.#zone}/${deviceName}/${admin?.username ?? ""}`;
    await this.#ask("POST", "/v1/devices", {
      name: deviceName,
      zone: this.#zone,
      model: { name: model.name, yaml: device.model, constraints: model.secrets },
      host: device.host,
      port: device.port,
      settings: admin === null || model.settings["admin"] === undefined ? {} : { admin: adminPath },
      accounts: [device, ...(admin === null ? [] : [admin])].map(({ username }) => ({ name: username, username })),
    });
    await this.give(device.factory);
    if (admin === null) return;
    await this.#ask("PUT", `/v1/accounts/${this.path}`, { reconcileBy: adminPath });
    await this.#give(adminPath, admin.fields);
  }

  /** Grants the account to an application at the edge. */
  async admit(): Promise<void> {
    const name = `panel-${this.#zone}`;
    await this.#ask("POST", "/v1/applications", { name, node: `edge-${this.#zone}` });
    await this.#ask("POST", `/v1/applications/${name}/grants`, { pattern: this.path });
    this.#token = (await this.#ask<{ token: string }>("POST", `/v1/applications/${name}/token`)).token;
  }

  /** Orders one action; null where the vault died before it answered. */
  async order(action: "rotate" | "verify" | "reconcile"): Promise<string | null> {
    try {
      return (await this.#ask<{ orderId: string }>("POST", "/v1/orders", { path: this.path, action })).orderId;
    } catch (error) {
      await this.vault.deathAfter(error);
      return null;
    }
  }

  /** True where the order has not ended yet, as far as the vault knows. */
  async isOpen(orderId: string | null): Promise<boolean> {
    if (orderId === null) return false;
    return (await this.#ask<{ state: string }>("GET", `/v1/orders/${orderId}`)).state === "open";
  }

  /** Tells the vault what a person set on the device. */
  give(fields: Fields): Promise<void> {
    return this.#give(this.path, fields);
  }

  /** Puts the device on hold, or ends that. */
  async hold(held: boolean): Promise<void> {
    await this.#ask("POST", `/v1/devices/${this.#zone}/${deviceName}/${held ? "hold" : "release"}`, {});
  }

  /** Has the edge try everything that it knows once more; it may die of it. */
  async retry(): Promise<void> {
    try {
      await callAdmin(this.edge.folder, { method: "POST", path: "/v1/rotations/retry", body: { path: this.path } });
    } catch (error) {
      await this.edge.deathAfter(error);
    }
  }

  /** An application reads the account at its edge; true where it was answered. */
  read(): Promise<boolean> {
    const headers = { "x-tidegate-request": "true", authorization: `Bearer ${this.#token}` };
    const path = `/v1/credentials/${this.path}`;
    return new Promise((resolve) => {
      const call = request({ socketPath: dataFolderAt(this.edge.folder).apiSocket, path, headers, agent: false });
      call.on("response", (response) => {
        response.resume();
        response.on("close", () => resolve(response.statusCode === 200));
      });
      call.on("error", () => resolve(false));
      call.end();
    });
  }

  standing(): Promise<Standing> {
    const path = `/v1/rotation?path=${encodeURIComponent(this.path)}`;
    return callAdmin(this.edge.folder, { method: "GET", path }) as Promise<Standing>;
  }

  /** Where the account rests: what was ordered is not open, nothing is under way, edge and vault agree, the pool is full. Else null. */
  async resting(orderId: string | null): Promise<Standing | null> {
    if (await this.isOpen(orderId)) return null;
    const standing = await this.standing();
    const path = `/v1/credentials?path=${encodeURIComponent(this.path)}`;
    const { version } = await this.#ask<{ version: string }>("GET", path);
    const { nodes } = await this.#ask<VaultStatus>("GET", "/v1/status");
    const edge = nodes.find(({ name }) => name === `edge-${this.#zone}`);
    const heard = edge?.behind === 0;
    return standing.state === "IDLE" && standing.version === version && standing.pool === fullPool && heard ? standing : null;
  }

  /** Every version that the vault knows. */
  async versions(): Promise<string[]> {
    const path = `/v1/credentials/history?path=${encodeURIComponent(this.path)}`;
    return (await this.#ask<{ versions: { version: string }[] }>("GET", path)).versions.map(({ version }) => version);
  }

  async reveal(version: string): Promise<Fields> {
    const { fields } = await this.#ask<{ fields: Fields }>("POST", "/v1/credentials/reveal", { path: this.path, version });
    const entries = Object.entries(fields).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]);
    return Object.fromEntries(entries) as Fields;
  }

  async #give(path: string, fields: Fields): Promise<void> {
    const entries = Object.entries(fields).map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
    await this.#ask("PUT", "/v1/credentials", { path, fields: Object.fromEntries(entries) });
  }

  async #ask<T>(method: AdminCall["method"], path: string, body?: unknown): Promise<T> {
    return (await callAdmin(this.vault.folder, { method, path, body })) as T;
  }
}

interface VaultStatus {
  /** Bundles that change something and that the node has not acknowledged. */
  readonly nodes: readonly { readonly name: string; readonly behind: number }[];
}
