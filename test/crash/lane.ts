import { AccountCalls } from "./account-calls.ts";
import type { CrashPlant } from "./crash-plant.ts";
import { type AdapterKind, type CrashDevice, type Fields, startDevice } from "./devices.ts";
import { pause } from "./pause.ts";

/** What became of one account after a kill. */
export interface Verdict {
  readonly kind: "one" | "lost" | "locked out" | "unknown";
  /** In words, for whatever is not "one". */
  readonly why: string;
  /** Version in use. */
  readonly version: string;
}

/** Longest wait for an account to rest, ms: a back-off or two, on a loaded machine. */
const usualPatienceMs = 120_000;
const lookEveryMs = 50;
/** A verdict that is not good is given again: the account may have begun something by itself while it was tried. */
const secondLooks = 2;

/** One adapter of the rig: its device with one account, what vault and edge are asked of it, and the judge. */
export class Lane {
  readonly adapter: AdapterKind;
  readonly device: CrashDevice;
  readonly calls: AccountCalls;
  /** Longest wait for the account to rest, ms. */
  readonly patienceMs: number;
  /** Every value that the vault ever showed, by version. */
  readonly #known = new Map<string, Fields>();
  #foreign = 0;

  private constructor(adapter: AdapterKind, place: { device: CrashDevice; calls: AccountCalls; patienceMs: number }) {
    this.adapter = adapter;
    this.device = place.device;
    this.calls = place.calls;
    this.patienceMs = place.patienceMs;
  }

  /** Starts the device and has the vault adopt its account. */
  static async open(plant: CrashPlant, adapter: AdapterKind, patienceMs = usualPatienceMs): Promise<Lane> {
    const edge = plant.edges.get(adapter);
    if (edge === undefined) throw new Error(`no edge for ${adapter}`);
    const device = await startDevice(adapter);
    const calls = new AccountCalls({ vault: plant.vault, edge, zone: adapter, username: device.username });
    const lane = new Lane(adapter, { device, calls, patienceMs });
    try {
      await calls.adopt(device);
      const verdict = await lane.judge(null);
      if (verdict.kind !== "one") throw new Error(verdict.why);
      await calls.admit();
      await lane.#until("the application to read", () => calls.read());
      return lane;
    } catch (error) {
      await device.stop();
      throw error;
    }
  }

  /** Waits until the account rests, and gives what an independent judge says. */
  async judge(orderId: string | null): Promise<Verdict> {
    for (let look = 0; ; look += 1) {
      const verdict = await this.#judgeOnce(orderId);
      if (verdict.kind === "one" || verdict.kind === "unknown" || look >= secondLooks) return verdict;
      await pause(1_000);
    }
  }

  /** What works now, as the vault has it. */
  async current(): Promise<Fields> {
    return this.#fields((await this.calls.standing()).version);
  }

  /** What worked before; rotates once where nothing did. */
  async older(): Promise<Fields> {
    const [epoch, number] = (await this.calls.standing()).version.split(".").map(Number);
    if (number === 0) {
      await this.judge(await this.calls.order("rotate"));
      return this.older();
    }
    return this.#fields(`${epoch}.${(number ?? 1) - 1}`);
  }

  /** A person sets a password at the device itself. */
  async setOnDevice(fields: Fields): Promise<void> {
    const all = [...this.#known.values(), this.device.foreign(this.#foreign)];
    const [present] = await this.device.accepted(all);
    if (present === undefined) throw new Error("nobody knows what works on the device");
    await this.device.set(fields, present);
  }

  /** A password that nobody has seen before. */
  nextForeign(): Fields {
    this.#foreign += 1;
    return this.device.foreign(this.#foreign);
  }

  /** True where nothing goes on by itself, also where the edge has given up. */
  async isStill(orderId: string | null): Promise<boolean> {
    try {
      if ((await this.calls.resting(orderId)) !== null) return true;
      return (await this.calls.standing()).state === "UNKNOWN" && !(await this.calls.isOpen(orderId));
    } catch {
      return false;
    }
  }

  /** Waits until the edge has given up. */
  isUnknown(): Promise<void> {
    return this.#until("UNKNOWN", async () => (await this.calls.standing()).state === "UNKNOWN");
  }

  async #judgeOnce(orderId: string | null): Promise<Verdict> {
    const started = performance.now();
    let last = "never asked";
    while (performance.now() - started < this.patienceMs) {
      try {
        const standing = await this.calls.resting(orderId);
        if (standing !== null) return await this.#tryAll(standing.version);
        const { state, waiting, version } = await this.calls.standing();
        last = `${state} ${version} ${waiting ?? ""}`;
        if (state === "UNKNOWN" && !(await this.calls.isOpen(orderId))) break;
      } catch (error) {
        last = String(error);
      }
      await pause(lookEveryMs);
    }
    return { kind: "unknown", why: `${this.calls.path} does not come to rest: ${last}`, version: "" };
  }

  async #tryAll(current: string): Promise<Verdict> {
    const versions = await this.calls.versions();
    for (const version of versions) await this.#fields(version);
    // A value that was shown once and is none of the vault's any more would be a loss too.
    const gone = [...this.#known.keys()].filter((version) => !versions.includes(version));
    if (gone.length > 0) return { kind: "lost", why: `the vault forgot ${gone.join(", ")}`, version: current };
    const accepted = await this.device.accepted([...this.#known.values()]);
    // A meter's passwords are four digits: two versions may have the same.
    const working = new Set(accepted.map((fields) => JSON.stringify(fields)));
    const fields = await this.#fields(current);
    if (working.size !== 1 || !working.has(JSON.stringify(fields))) {
      const names = [...this.#known].filter(([, each]) => accepted.includes(each)).map(([version]) => version);
      const which = names.length === 0 ? "none of the vault's values works" : `${names.join(" and ")} work`;
      return { kind: "lost", why: `${which}, the vault has ${current} in use`, version: current };
    }
    const lets = await this.device.lets(fields);
    return { kind: lets ? "one" : "locked out", why: lets ? "" : `${current} is right and is refused`, version: current };
  }

  async #fields(version: string): Promise<Fields> {
    const fields = this.#known.get(version) ?? (await this.calls.reveal(version));
    this.#known.set(version, fields);
    return fields;
  }

  async #until(what: string, look: () => Promise<boolean>): Promise<void> {
    const started = performance.now();
    while (!(await look())) {
      if (performance.now() - started > this.patienceMs) throw new Error(`${this.calls.path}: waited too long for ${what}`);
      await pause(lookEveryMs);
    }
  }
}
