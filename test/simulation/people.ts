import { TidegateError } from "../../protocol/base/index.ts";
import type { Dice } from "./dice.ts";
import { deviceAccount, type Invariants, plannedAccount } from "./invariants.ts";
import type { World } from "./world.ts";

/** What people do in a plant, and how often. */
export const acts = {
  "read with an application": 6,
  "order a rotation": 10,
  "order a proof": 3,
  "rotate at the edge": 12,
  "verify at the edge": 1,
  "retry at the edge": 2,
  "type a wrong password": 3,
  "change a device and tell the vault": 2,
  "tell the vault a wrong password": 1,
  "hold a device": 2,
  "permit rotations": 1,
  "lease an account": 2,
} as const;
export type Act = keyof typeof acts;

/** The people of a plant: they act at random, and see to what only a person can. */
export class People {
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #dice: Dice;
  readonly #paths: readonly string[];
  /** When a password will be told that was changed by hand. */
  readonly #tellAt = new Map<string, number>();
  /** Unknown accounts that were tried again once. */
  readonly #retried = new Set<string>();

  constructor(world: World, invariants: Invariants) {
    this.#world = world;
    this.#invariants = invariants;
    this.#dice = world.dice.fork("people");
    this.#paths = world.plan.devices.flatMap(({ zone, name, accounts }) =>
      accounts.map((account) => `${zone}/${name}/${account.name}`),
    );
  }

  /** An account that somebody cares about. */
  somePath(): string {
    return this.#dice.pick(this.#paths);
  }

  /** An account that may be rotated. */
  someRotated(): string {
    return this.#dice.pick(this.#paths.filter((path) => plannedAccount(this.#world, path)?.rotate !== "never"));
  }

  /** Somebody does this, or anything. */
  act(path: string, act: Act = this.#dice.weighted(acts)): void {
    switch (act) {
      case "read with an application":
        this.#world.count(`act: ${act}`);
        return this.#read(path);
      case "order a rotation":
        return this.#order(path, "rotate", act);
      case "order a proof":
        return this.#order(path, "verify", act);
      case "rotate at the edge":
        return this.#atEdge(path, "rotate", act);
      case "verify at the edge":
        return this.#atEdge(path, "verify", act);
      case "retry at the edge":
        return this.#atEdge(path, "retry", act);
      case "type a wrong password":
        return this.#mistype(path);
      case "change a device and tell the vault":
        return this.change(path, 120_000);
      case "tell the vault a wrong password":
        this.#invariants.excuse(path, "a person gave a value");
        return this.#tell(path, this.#password(), act);
      case "hold a device":
        return this.hold(path, 120_000);
      case "permit rotations":
        return this.#permit(path, this.#dice.between(30, 600));
      case "lease an account":
        return this.#lease(path, act);
    }
  }

  rotate(path: string): void {
    this.#permit(path, 600);
    this.#atEdge(path, "rotate", "rotate at the edge");
  }

  verify(path: string): void {
    this.#atEdge(path, "verify", "verify at the edge");
  }

  retry(path: string): void {
    this.#atEdge(path, "retry", "retry at the edge");
  }

  /** Keeps a device from being rotated for a while. */
  hold(path: string, mostMs: number): void {
    this.#site(path, "hold", { path: deviceOf(path) });
    this.#later(mostMs, () => this.#site(path, "release", { path: deviceOf(path) }));
  }

  /** Everything that was done to a device by hand is told in the end, and nothing is held back any more. */
  tellAll(): void {
    for (const path of this.#paths) {
      this.#site(path, "release", { path: deviceOf(path) });
      this.#permit(path, 24 * 3_600);
    }
    for (const [path, text] of this.#invariants.untold) {
      if ((this.#tellAt.get(path) ?? 0) > this.#world.time.now) continue;
      this.#tell(path, text.slice("password=".length), "tell the vault at last");
    }
  }

  /**
   * An operator looks at what does not move: an account that is unknown is tried again; where that does not help, the vault's list is
   * tried at the device, and what works is told.
   */
  seeToIt(): void {
    for (const path of this.#paths) {
      const phase = this.#edgeOf(path)?.running?.core.credentials.accountAt(path)?.record.state.phase;
      if (phase !== "UNKNOWN") continue;
      const live = deviceAccount(this.#world, path)?.live;
      if (this.#retried.has(path) && live !== undefined) this.#tell(path, live.slice("password=".length), "recover");
      else this.#atEdge(path, "retry", "retry what is unknown");
      this.#retried.add(path);
    }
  }

  /** Asks for a proof of these logins. */
  prove(paths: readonly string[]): void {
    for (const path of paths) this.#order(path, "verify", "ask for a proof");
  }

  #site(path: string, what: "hold" | "release", body: unknown): void {
    this.#try(`${what} a device`, path, () => this.#edgeOf(path)?.running?.call("POST", `/v1/site/${what}`, body));
  }

  #permit(path: string, forS: number): void {
    if (!this.#world.plan.requirePermit) return;
    this.#try("permit rotations", path, () => this.#edgeOf(path)?.running?.call("POST", "/v1/site/permit", { forS }));
  }

  /** The application reads the account for a while; then it is rotated. */
  #lease(path: string, act: string): void {
    if (!this.#world.plan.consumers) return;
    const body = { application: "scada", pattern: path, forS: this.#dice.between(60, 300) };
    this.#try(act, path, () => this.#world.vault.running?.call("POST", "/v1/leases", body));
  }

  #order(path: string, action: "rotate" | "verify", act: string): void {
    const withinS = this.#dice.between(60, 1_800);
    this.#try(act, path, () => this.#world.vault.running?.call("POST", "/v1/orders", { path, action, withinS }));
  }

  #atEdge(path: string, what: "rotate" | "verify" | "retry", act: string): void {
    this.#try(act, path, () => this.#edgeOf(path)?.running?.call("POST", `/v1/rotations/${what}`, { path }));
  }

  #edgeOf(path: string): World["edges"][number] | undefined {
    const [zone = ""] = path.split("/");
    return this.#world.edges[Number(zone.slice("zone-".length)) - 1];
  }

  /** An application reads now and again; its node logs that without waiting for a disk. */
  #read(path: string, times = 20): void {
    const { gateway } = this.#world;
    const edge = this.#edgeOf(path);
    for (const parts of [edge?.running?.core, gateway.running?.parts]) {
      const found = parts?.credentials.find(path) ?? null;
      if (parts === undefined || found === null) continue;
      for (const { value } of found.openFields()) value.fill(0);
      parts.audit.noteRead({
        action: "credential.read",
        actor: { kind: "application", id: "scada" },
        subject: { kind: "account", id: path },
        outcome: "ok",
        code: null,
        details: { version: found.version },
      });
    }
    if (times > 0) this.#later(3_000, () => this.#read(path, times - 1));
  }

  #mistype(path: string): void {
    const [zone, name, username = ""] = path.split("/");
    const device = this.#world.devices.get(`${zone}.${name}`);
    if (device === undefined || !device.mayMistype()) return;
    this.#world.count("person: types a wrong password");
    device.typo(username);
  }

  /** Changes a device by hand, and tells the vault later; perhaps something wrong first. */
  change(path: string, toldMs: number): void {
    const account = deviceAccount(this.#world, path);
    const [zone, name, username = ""] = path.split("/");
    if (account === null || this.#invariants.untold.has(path)) return;
    const password = this.#password();
    this.#world.count("person: changes a device");
    this.#invariants.untold.set(path, `password=${password}`);
    this.#invariants.excuse(path, "a person gave a value");
    this.#world.devices.get(`${zone}.${name}`)?.restore(username, `password=${password}`);
    if (this.#dice.chance(0.3)) {
      this.#later(20_000, () => this.#tell(path, `${password.slice(0, -1)}0`, "tell the vault with a typing error"));
    }
    const waitMs = this.#dice.between(toldMs >> 2, toldMs);
    this.#tellAt.set(path, this.#world.time.now + waitMs);
    this.#world.time.after(waitMs, () => this.#tell(path, password, "tell the vault"));
  }

  #tell(path: string, password: string, act: string): void {
    const fields = { password: Buffer.from(password).toString("base64") };
    this.#try(act, path, async () => {
      await this.#world.vault.running?.call("PUT", "/v1/credentials", { path, fields });
      if (this.#world.vault.running !== null && this.#invariants.untold.get(path) === `password=${password}`)
        this.#invariants.untold.delete(path);
    });
  }

  #try(act: string, path: string, work: () => Promise<unknown> | undefined): void {
    const { vault } = this.#world;
    this.#world.note("person", `${act} ${path}`);
    const done = async () => {
      try {
        const answer = work();
        if (answer === undefined) return this.#world.note("person", `${act} ${path}: nobody answers`);
        await answer;
        this.#world.count(`act: ${act}`);
      } catch (error) {
        if (!(error instanceof TidegateError)) throw error;
        this.#world.note("person", `${act} ${path}: ${error.code}${vault.running === null ? ", the vault is away" : ""}`);
      }
    };
    void done();
  }

  #later(mostMs: number, work: () => void): void {
    this.#world.time.after(this.#dice.between(1_000, mostMs), work);
  }

  #password(): string {
    return Array.from({ length: 12 }, () => this.#dice.pick([..."abcdefghijklmnopqrstuvwxyz"])).join("");
  }
}

function deviceOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
