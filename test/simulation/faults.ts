import type { Mood } from "./device-kind.ts";
import type { Dice } from "./dice.ts";
import type { DiskFault } from "./disk.ts";
import { diskFaults, type Fault, faults, manglings, trickWeights } from "./fault-table.ts";
import { type Focus, failpointsOf, type NodeKind, type Sideshow } from "./focus.ts";
import { deviceAccount, type Invariants } from "./invariants.ts";
import type { Machine, World } from "./world.ts";

type AnyMachine = Machine<unknown>;

/** Lets things go wrong, and sets them right again. */
export class Faults {
  readonly #world: World;
  readonly #invariants: Invariants;
  readonly #dice: Dice;
  /** Failpoints at which each process ends, by its name, and how often each is passed before. */
  readonly #armed = new Map<string, { readonly failpoint: string; skip: number }[]>();
  /** Path of the account near which things go wrong now. */
  #near = "";
  /** The kind of node at which the present fault happens; null for any. */
  #dealt: NodeKind | null = null;
  /** From now on nothing goes wrong any more. */
  #over = false;

  constructor(world: World, invariants: Invariants) {
    this.#world = world;
    this.#invariants = invariants;
    this.#dice = world.dice.fork("faults");
    world.onFailpoint = (process, name) => {
      const armed = this.#armed.get(process.name) ?? [];
      const here = armed.find(({ failpoint }) => failpoint === name);
      if (here === undefined) return;
      here.skip -= 1;
      if (here.skip >= 0) return;
      armed.splice(armed.indexOf(here), 1);
      world.count(`crash: ${name}`);
      process.die();
    };
    world.onDeath = (machine) => this.#restartLater(machine);
    world.onStartFailed = (machine, error) => this.#startFailed(machine, error);
    for (const machine of this.#machines) this.#watchDisk(machine);
    for (const device of world.devices.values()) {
      const tell = device.onTrick;
      device.onTrick = (trick) => {
        tell(trick);
        if (trick === "denied")
          for (const account of device.accounts.keys())
            invariants.excuse(`${device.name}/${account}`, "the device denied what it did");
      };
      device.onReboot = (lost) => world.count(lost ? "device: loses what was not saved" : "device: reboots");
    }
  }

  /** Most plants have devices that are difficult from the beginning. */
  begin(): void {
    for (const device of this.#world.devices.values()) {
      if (this.#dice.chance(0.85)) device.mood = this.#mood();
      device.paceMs = this.#dice.pick([5, 5, 10, 200]);
    }
  }

  /** What this world looks at before everything else: its failpoints end the processes that come there, in peace too. */
  lookAt({ node, failpoints, skip }: Focus): void {
    const { vault, edges } = this.#world;
    for (const { name } of node === "vault" ? [vault] : edges)
      this.#armed.set(
        name,
        failpoints.map((failpoint) => ({ failpoint, skip })),
      );
  }

  /** Plans the disk fault of what this world looks at, near the account of this path. */
  planFor(path: string, { disk }: Focus): void {
    this.#near = path;
    diskOf(this.#world, this.#ofKind(disk.node)).plan(disk.kind, this.#dice.between(0, 3));
  }

  /** Something goes wrong, mostly where the account of this path is; or what is dealt. */
  happen(path: string, dealt: Pick<Sideshow, "fault" | "node"> | null = null): void {
    if (this.#over) return;
    this.#near = path;
    this.#dealt = dealt?.node ?? null;
    const fault: Fault = dealt?.fault ?? this.#dice.weighted(faults);
    switch (fault) {
      case "crash":
        return this.#crash(this.#machine);
      case "crash at a commit":
        return this.#plan(this.#dice.pick(["crash before", "crash after"]), this.#dice.between(0, 12));
      case "crash at a failpoint":
        return this.#arm();
      case "power cut":
        return this.#powerCut(this.#machine);
      case "disk":
        return this.#plan(this.#dice.pick(diskFaults), this.#dice.between(0, 20));
      case "no space for a rotation":
        return this.#noSpace();
      case "cut":
      case "one way":
      case "black hole":
      case "slow":
      case "mangle":
        return this.#network(fault);
      case "wall clock":
        return this.#wallClock();
      default:
        return this.#device(fault);
    }
  }

  /** Everything works from now on, and what is down comes up. */
  end(): void {
    const { network, devices, edges, gateway, vaultDisk } = this.#world;
    this.#over = true;
    network.heal();
    for (const device of devices.values()) {
      device.mood = {};
      device.refusedShare = 0;
      device.rebootsAfterChange = false;
    }
    for (const edge of edges) edge.hasSpace = true;
    for (const { disk } of [gateway, ...edges]) disk.forgetPlan();
    vaultDisk.forgetPlan();
    for (const machine of this.#machines) {
      machine.clock.wallErrorMs = 0;
      if (machine.process === null) this.#start(machine);
    }
  }

  get #machines(): AnyMachine[] {
    const { vault, gateway, edges } = this.#world;
    return [vault, gateway, ...edges];
  }

  get #edge(): World["edges"][number] {
    const { edges, plan } = this.#world;
    const { zone } = plan.devices.find((device) => this.#near.startsWith(`${device.zone}/`)) ?? { zone: "" };
    return edges.find(({ name }) => name.slice("edge-".length) === zone.slice("zone-".length)) ?? this.#dice.pick(edges);
  }

  /** Edges do most of what may go wrong. */
  get #machine(): AnyMachine {
    if (this.#dealt !== null) return this.#ofKind(this.#dealt);
    return this.#dice.chance(0.5) ? this.#edge : this.#dice.pick(this.#machines);
  }

  #ofKind(kind: NodeKind): AnyMachine {
    const { vault, gateway } = this.#world;
    return { vault, gateway, edge: this.#edge }[kind];
  }

  #crash(machine: AnyMachine): void {
    if (machine.process === null) return;
    this.#world.count(`crash: ${kindOf(machine)}`);
    this.#world.kill(machine, "at once");
  }

  #powerCut(machine: AnyMachine): void {
    if (machine.process === null) return;
    this.#world.count(`power cut: ${kindOf(machine)}`);
    this.#world.kill(machine, "in silence");
    machine.clock.reboot();
  }

  #plan(kind: DiskFault, commits: number): void {
    diskOf(this.#world, this.#machine).plan(kind, commits);
  }

  #watchDisk(machine: AnyMachine): void {
    diskOf(this.#world, machine).onFault = (kind) => {
      this.#world.count(`disk: ${kind}: ${kindOf(machine)}`);
      // An operator frees space or changes the disk, and starts the node again.
      if (!kind.startsWith("crash")) this.#later(1_000, 120_000, () => this.#world.kill(machine, "at once"));
    };
  }

  #arm(): void {
    const { name } = this.#edge;
    const armed = this.#armed.get(name) ?? [];
    this.#armed.set(name, [...armed, { failpoint: this.#dice.pick(failpointsOf("edge")), skip: 0 }]);
  }

  #noSpace(): void {
    const edge = this.#edge;
    this.#world.count("disk: no space for a rotation");
    edge.hasSpace = false;
    this.#later(5_000, 300_000, () => {
      edge.hasSpace = true;
    });
  }

  #network(fault: "cut" | "one way" | "black hole" | "slow" | "mangle"): void {
    const { network } = this.#world;
    const [from, to] = this.#dice.chance(0.5) ? ["gateway", "vault"] : [this.#edge.name, "gateway"];
    const way = network.way(from, to);
    if (fault === "cut") {
      if (network.cut(from, to) > 0) this.#world.count("network: cut");
      return;
    }
    if (fault === "mangle") {
      way.mangle = this.#dice.pick(manglings);
      return;
    }
    this.#world.count(`network: ${fault}`);
    if (fault === "slow") way.delay = [500, 8_000];
    else if (fault === "black hole") Object.assign(way, { forth: false, back: false });
    else if (this.#dice.chance(0.5)) way.forth = false;
    else way.back = false;
    this.#later(2_000, fault === "slow" ? 60_000 : 300_000, () => {
      Object.assign(way, { forth: true, back: true, delay: [1, 40] });
      network.changed();
    });
  }

  #wallClock(): void {
    const machine = this.#dice.pick([this.#world.gateway, ...this.#world.edges]);
    this.#world.count("wall clock: jumps");
    machine.clock.wallErrorMs = this.#dice.between(-1_800_000, 1_800_000) * 1_000;
  }

  #device(fault: Fault): void {
    const { devices, plan } = this.#world;
    const near = plan.devices.filter(({ zone, name }) => this.#near.startsWith(`${zone}/${name}/`));
    const planned = this.#dice.pick(near.length > 0 && this.#dice.chance(0.8) ? near : plan.devices);
    const device = devices.get(`${planned.zone}.${planned.name}`);
    if (device === undefined) return;
    if (fault === "device in a mood") {
      device.mood = this.#mood();
      return;
    }
    if (fault === "device reboots") return device.reboot();
    if (fault === "device reboots after a change") {
      device.rebootsAfterChange = true;
      return;
    }
    if (fault === "device refuses values") {
      device.refusedShare = this.#dice.share();
      return;
    }
    const path = `${device.name}/${this.#dice.pick(planned.accounts).name}`;
    const account = deviceAccount(this.#world, path);
    if (account === null || this.#invariants.untold.has(path)) return;
    this.#world.count(fault === "device reset" ? "device: reset" : "device: restored from a backup");
    this.#invariants.excuse(path, "the device came back with an older value");
    device.restore(account.username, fault === "device reset" ? account.first : this.#dice.pick(account.past));
  }

  /** Up to four tricks, each played in up to half of the exchanges that it is for. */
  #mood(): Mood {
    const chosen = Array.from({ length: this.#dice.between(1, 4) }, () => this.#dice.weighted(trickWeights));
    return Object.fromEntries(chosen.map((trick) => [trick, 0.1 + this.#dice.share() * 0.4]));
  }

  #restartLater(machine: AnyMachine): void {
    if (this.#over) return this.#later(100, 1_000, () => this.#start(machine));
    this.#later(100, this.#dice.chance(0.7) ? 5_000 : 180_000, () => this.#start(machine));
  }

  /** A process that does not start ends, and whoever watches over it starts it again. */
  #startFailed(machine: AnyMachine, error: unknown): void {
    const { fault, message } = error as { fault?: string; message?: string };
    if (fault !== "environment") this.#world.problem(`${machine.name} does not start: ${message}`);
    this.#world.kill(machine, "at once");
  }

  #start(machine: AnyMachine): void {
    const { vault, gateway, edges } = this.#world;
    if (machine.process !== null) return;
    if (machine === vault) return this.#world.startVault();
    if (machine === gateway) return this.#world.startGateway();
    for (const edge of edges) if (machine === edge) this.#world.startEdge(edge);
  }

  #later(leastMs: number, mostMs: number, work: () => void): void {
    this.#world.time.after(this.#dice.between(leastMs, mostMs), work);
  }
}

function kindOf({ name }: AnyMachine): NodeKind {
  return name === "vault" || name === "gateway" ? name : "edge";
}

function diskOf({ vault, vaultDisk, gateway, edges }: World, machine: AnyMachine) {
  if (machine === vault) return vaultDisk;
  return [gateway, ...edges].find((each) => each === machine)?.disk ?? gateway.disk;
}
