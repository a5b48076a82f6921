import { request } from "node:http";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import { loadModel } from "../../firmware-adapters/index.ts";
import type { CrashPlant } from "./crash-plant.ts";
import { type AdapterKind, type CrashDevice, type Fields, startDevice } from "./devices.ts";
import type { NodeChild } from "./node-child.ts";

/** Where an account stands at its edge. */
export interface Standing {
  readonly version: string;
  readonly state: string;
  readonly candidates: number;
  readonly pool: number;
  readonly waiting: string | null;
  readonly says: string | null;
  readonly hold: string | null;
}

/** What became of one account after a kill. */
export interface Verdict {
  readonly kind: "one" | "lost" | "locked out" | "unknown";
  /** In words, for whatever is not "one". */
  readonly why: string;
  /** Version in use. */
  readonly version: string;
}

/** Longest wait for an account to converge, ms: a back-off or two, on a loaded machine. */
const patienceMs = 120_000;
const lookEveryMs = 50;

/** One adapter of the rig: its edge, its device with one account, and what vault, edge and judge say of it. */
export class Lane {
  readonly adapter: AdapterKind;
  readonly device: CrashDevice;
  readonly edge: NodeChild;
  readonly path: string;
  readonly #plant: CrashPlant;
  readonly #patienceMs: number;
  #token = "";
  /** Every value that the vault ever showed, by version. */
  readonly #known = new Map<string, Fields>();

  private constructor(
    plant: CrashPlant,
    adapter: AdapterKind,
    place: { device: CrashDevice; edge: NodeChild; patienceMs: number },
  ) {
    this.#plant = plant;
    this.adapter = adapter;
    this.device = place.device;
    this.edge = place.edge;
    this.#patienceMs = place.patienceMs;
    this.path = `${adapter}/device-1/${place.device.username}`;
  }

  /** Starts the device and has the vault adopt its account. */
  static async open(plant: CrashPlant, adapter: AdapterKind, options: { patienceMs?: number | undefined } = {}): Promise<Lane> {
    const edge = plant.edges.get(adapter);
    if (edge === undefined) throw new Error(`no edge for ${adapter}`);
    const device = await startDevice(adapter);
    const lane = new Lane(plant, adapter, { device, edge, patienceMs: options.patienceMs ?? patienceMs });
    try {
      await lane.#adopt();
      return lane;
    } catch (error) {
      await device.stop();
      throw error;
    }
  }

  get vault(): NodeChild {
    return this.#plant.vault;
  }

  /** Orders one action; null where the vault died before it answered. */
  async order(action: "rotate" | "verify"): Promise<string | null> {
    try {
      const { orderId } = await this.#plant.call<{ orderId: string }>(this.vault, "POST", "/v1/orders", {
        path: this.path,
        action,
      });
      return orderId;
    } catch (error) {
      await dead(this.vault, error);
      return null;
    }
  }

  /** Puts the device on hold, or ends that. */
  async hold(held: boolean): Promise<void> {
    await this.#plant.call(this.vault, "POST", `/v1/devices/${this.adapter}/device-1/${held ? "hold" : "release"}`, {});
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

  /** Where the account stands at its edge. */
  standing(): Promise<Standing> {
    return this.#plant.call(this.edge, "GET", `/v1/rotation?path=${encodeURIComponent(this.path)}`);
  }

  /** Where everything rests: nothing ordered is open, nothing is under way, edge and vault agree, the pool is full. */
  async converged(orderId: string | null): Promise<Standing | null> {
    if (orderId !== null) {
      const { state } = await this.#plant.call<{ state: string }>(this.vault, "GET", `/v1/orders/${orderId}`);
      if (state === "open") return null;
    }
    const standing = await this.standing();
    const vault = await this.#plant.call<{ version: string }>(
      this.vault,
      "GET",
      `/v1/credentials?path=${encodeURIComponent(this.path)}`,
    );
    const rests = standing.state === "IDLE" && standing.version === vault.version && standing.pool === fullPool;
    return rests ? standing : null;
  }

  /** Waits until the account rests, and gives what an independent judge says. */
  async judge(orderId: string | null): Promise<Verdict> {
    const started = performance.now();
    let last = "never asked";
    while (performance.now() - started < this.#patienceMs) {
      try {
        const standing = await this.converged(orderId);
        if (standing !== null) return await this.#tryAll(standing.version);
        const { state, waiting, version } = await this.standing();
        last = `${state} ${version} ${waiting ?? ""}`;
        if (state === "UNKNOWN") break;
      } catch (error) {
        last = String(error);
      }
      await pause(lookEveryMs);
    }
    return { kind: "unknown", why: `${this.path} does not converge: ${last}`, version: "" };
  }

  async #tryAll(current: string): Promise<Verdict> {
    const history = `/v1/credentials/history?path=${encodeURIComponent(this.path)}`;
    const { versions } = await this.#plant.call<{ versions: { version: string }[] }>(this.vault, "GET", history);
    for (const { version } of versions) if (!this.#known.has(version)) this.#known.set(version, await this.#reveal(version));
    // A value that was shown once and is none of the vault's any more would be a loss too.
    const gone = [...this.#known.keys()].filter((version) => !versions.some((each) => each.version === version));
    if (gone.length > 0) return { kind: "lost", why: `the vault forgot ${gone.join(", ")}`, version: current };
    const accepted = await this.device.accepted([...this.#known.values()]);
    const working = [...this.#known].filter(([, fields]) => accepted.includes(fields)).map(([version]) => version);
    if (working.length !== 1 || working[0] !== current) {
      const which = working.length === 0 ? "none of the vault's values works" : `${working.join(" and ")} work`;
      return { kind: "lost", why: `${which}, the vault has ${current} in use`, version: current };
    }
    const lets = await this.device.lets(this.#known.get(current) ?? {});
    return { kind: lets ? "one" : "locked out", why: lets ? "" : `${current} is right and is refused`, version: current };
  }

  async #reveal(version: string): Promise<Fields> {
    const answer = await this.#plant.call<{ fields: Fields }>(this.vault, "POST", "/v1/credentials/reveal", {
      path: this.path,
      version,
    });
    const fields = Object.entries(answer.fields).map(([name, value]) => [name, Buffer.from(value, "base64").toString()]);
    return Object.fromEntries(fields) as Fields;
  }

  async #adopt(): Promise<void> {
    const { device } = this;
    const model = loadModel(device.model);
    await this.#plant.call(this.vault, "POST", "/v1/devices", {
      name: "device-1",
      zone: this.adapter,
      model: { name: model.name, yaml: device.model, constraints: model.secrets },
      host: device.host,
      port: device.port,
      accounts: [{ name: device.username, username: device.username }],
    });
    const fields = Object.entries(device.factory).map(([name, value]) => [name, Buffer.from(value).toString("base64")]);
    await this.#plant.call(this.vault, "PUT", "/v1/credentials", { path: this.path, fields: Object.fromEntries(fields) });
    const verdict = await this.judge(null);
    if (verdict.kind !== "one") throw new Error(verdict.why);
    const name = `panel-${this.adapter}`;
    await this.#plant.call(this.vault, "POST", "/v1/applications", { name, node: `edge-${this.adapter}` });
    await this.#plant.call(this.vault, "POST", `/v1/applications/${name}/grants`, { pattern: this.path });
    this.#token = (await this.#plant.call<{ token: string }>(this.vault, "POST", `/v1/applications/${name}/token`)).token;
    for (let look = 0; !(await this.read()); look += 1) {
      if (look > this.#patienceMs / lookEveryMs) throw new Error(`${name} cannot read ${this.path}`);
      await pause(lookEveryMs);
    }
  }
}

/** Values that the vault keeps ready at an edge for each account. */
const fullPool = 2;

/** A call that failed because its node died is an answer; any other failure is thrown. */
async function dead(node: NodeChild, error: unknown): Promise<void> {
  for (let look = 0; look < 100; look += 1) {
    if (!node.alive) return;
    await pause(lookEveryMs);
  }
  throw error;
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
