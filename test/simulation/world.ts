import type { Secret } from "../../protocol/base/index.ts";
import { SimulatedDevice } from "./device.ts";
import type { DeviceKind } from "./device-kind.ts";
import { Dice } from "./dice.ts";
import { Disk, type DiskImage } from "./disk.ts";
import { Network } from "./network.ts";
import { type RunningEdge, type RunningGateway, type RunningVault, startEdge, startGateway, startVault } from "./nodes.ts";
import { MachineClock, Process } from "./process.ts";
import { Trace } from "./trace.ts";
import type { VaultDisk } from "./vault-disk.ts";
import { settled, VirtualTime } from "./virtual-time.ts";

/** One device of a plant. */
export interface PlannedDevice {
  readonly zone: string;
  readonly name: string;
  readonly kind: DeviceKind;
  readonly accounts: readonly PlannedAccount[];
}

export interface PlannedAccount {
  readonly name: string;
  readonly rotate: "never" | "on-demand" | "interval";
  readonly intervalS: number | null;
  readonly password: string;
}

/** A plant to build: its edges are numbered from one, each in a zone of its own. */
export interface Plan {
  readonly name: string;
  readonly edges: number;
  readonly devices: readonly PlannedDevice[];
  /** An application at the gateway reads every account. */
  readonly consumers: boolean;
  /** Nothing is rotated without a permit of somebody at the edge. */
  readonly requirePermit?: boolean;
}

/** A plant that runs without a fault and has come to rest, as its disks hold it. */
export interface PlantImage {
  readonly plan: Plan;
  readonly vault: string;
  readonly gateway: DiskImage;
  readonly edges: readonly DiskImage[];
  readonly tlsKeyHashes: ReadonlyMap<string, Uint8Array>;
  readonly now: number;
}

/** A node of the world: what outlives its process, and the process where there is one. */
export interface Machine<Running> {
  readonly name: string;
  readonly clock: MachineClock;
  readonly dice: Dice;
  process: Process | null;
  running: Running | null;
  tlsKeyHash: Uint8Array;
}

export interface WorldOptions {
  readonly seed: string;
  readonly vaultDisk: VaultDisk;
  readonly masterKey: Secret;
  readonly plan: Plan;
  /** Null where the plant is to be built. */
  readonly image: PlantImage | null;
  readonly keepTrace: boolean;
}

/** Vault, gateway, edges and devices in one process, with everything that they stand on simulated. */
export class World {
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly plan: Plan;
  readonly network: Network;
  readonly vaultDisk: VaultDisk;
  readonly vault: Machine<RunningVault>;
  readonly gateway: Machine<RunningGateway> & { readonly disk: Disk };
  readonly edges: readonly (Machine<RunningEdge> & { readonly disk: Disk; hasSpace: boolean })[];
  /** By host name, which is `zone.name`. */
  readonly devices: ReadonlyMap<string, SimulatedDevice>;
  readonly problems: string[] = [];
  /** How often each fault happened. */
  readonly fired = new Map<string, number>();
  onMessage: (message: Uint8Array) => void = () => {};
  onFailpoint: (process: Process, name: string) => void = () => {};
  onDeath: (machine: Machine<unknown>) => void = () => {};
  readonly #masterKey: Secret;

  constructor({ seed, vaultDisk, masterKey, plan, image, keepTrace }: WorldOptions) {
    this.time = new VirtualTime(image?.now ?? 0);
    this.dice = new Dice(seed);
    this.trace = new Trace(keepTrace);
    this.plan = plan;
    this.vaultDisk = vaultDisk;
    this.#masterKey = masterKey;
    this.network = new Network({
      time: this.time,
      dice: this.dice.fork("network"),
      onMessage: (from, to, message) => {
        this.note(`${from.name}>${to.name}`, frameName(message));
        this.onMessage(message);
      },
      onMangled: (how) => this.count(`message: ${how}`),
    });
    const hash = (name: string) => image?.tlsKeyHashes.get(name) ?? new Uint8Array(32);
    this.vault = this.#machine("vault", hash("vault"));
    this.gateway = { ...this.#machine<RunningGateway>("gateway", hash("gateway")), disk: new Disk(image?.gateway) };
    this.edges = Array.from({ length: plan.edges }, (_, i) => {
      const name = `edge-${i + 1}`;
      return { ...this.#machine<RunningEdge>(name, hash(name)), disk: new Disk(image?.edges[i]), hasSpace: true };
    });
    this.devices = new Map(plan.devices.map((device) => [`${device.zone}.${device.name}`, this.#device(device)]));
  }

  /** Something happened. */
  note(who: string, what: string): void {
    this.trace.add(`${(this.time.now / 1000).toFixed(3)} ${who} ${what}`);
  }

  /** A fault happened. */
  count(fault: string): void {
    this.fired.set(fault, (this.fired.get(fault) ?? 0) + 1);
    this.note("fault", fault);
  }

  problem(problem: string): void {
    this.note("PROBLEM", problem);
    this.problems.push(problem);
  }

  startVault(): void {
    const { vaultDisk: disk, network } = this;
    const process = this.#begin(this.vault);
    void this.#started(this.vault, process, startVault({ process, disk, network, masterKey: this.#masterKey }));
  }

  startGateway(): void {
    const { gateway, network } = this;
    const process = this.#begin(gateway);
    const { disk, tlsKeyHash } = gateway;
    void this.#started(gateway, process, startGateway({ process, disk, network, tlsKeyHash }));
  }

  startEdge(edge: World["edges"][number]): void {
    const { network, devices } = this;
    const process = this.#begin(edge);
    const { disk, tlsKeyHash } = edge;
    const hasSpace = () => edge.hasSpace;
    const { requirePermit = false } = this.plan;
    const starting = async () => startEdge({ process, disk, network, tlsKeyHash, devices, hasSpace, requirePermit });
    void this.#started(edge, process, starting());
  }

  /** Kills a node's process; its machine may lose power with it. */
  kill(machine: Machine<unknown>, gone: "at once" | "in silence"): void {
    machine.process?.die(gone);
  }

  /** A new process on a machine, for what has to be done before its node can start. */
  process(machine: Machine<unknown>): Process {
    return this.#begin(machine);
  }

  /** Lets the next thing happen, at `until` at the latest; false where nothing does. */
  async step(until: number): Promise<boolean> {
    const happened = await this.time.step(until);
    if (happened) this.afterStep();
    return happened;
  }

  /** Looks at the world after each step. */
  afterStep: () => void = () => {};

  /** Goes on until a promise settles. */
  async drive<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = promise.finally(() => {
      over = true;
    });
    done.catch(() => {});
    await settled();
    while (!over) if (!(await this.step(this.time.now + 600_000))) break;
    return done;
  }

  #machine<Running>(name: string, tlsKeyHash: Uint8Array): Machine<Running> {
    const dice = this.dice.fork(name);
    return { name, clock: new MachineClock(this.time), dice, process: null, running: null, tlsKeyHash };
  }

  #begin(machine: Machine<unknown>): Process {
    const process = new Process({
      name: machine.name,
      time: this.time,
      machine: machine.clock,
      dice: machine.dice,
      onLog: (_process, level, event, fields) => {
        const { account, state, outcome, code, name, error } = fields;
        const said = [account, name, state, outcome, code, errorText(error)].filter((each) => each !== undefined);
        this.note(machine.name, `${level === "info" ? "" : `${level} `}${event} ${said.join(" ")}`);
      },
      onFailpoint: (user, name) => this.onFailpoint(user, name),
    });
    machine.process = process;
    process.onDeath((gone) => {
      this.note(machine.name, `dies ${gone}`);
      machine.process = null;
      machine.running = null;
      if (machine.name === "vault") this.vaultDisk.crashed();
      for (const { name, disk } of [this.gateway, ...this.edges]) {
        if (name !== machine.name) continue;
        if (disk.crashed(this.dice.between(0, 8)) > 0) this.count("disk: loses what was not synced");
      }
      this.onDeath(machine);
    });
    this.note(machine.name, "starts");
    return process;
  }

  async #started<Running>(machine: Machine<Running>, process: Process, starting: Promise<Running>): Promise<void> {
    try {
      const running = await starting;
      if (process.alive) machine.running = running;
    } catch (error) {
      if (!process.alive) return;
      this.note(machine.name, `does not start: ${errorText(error)}`);
      this.onStartFailed(machine, error);
    }
  }

  /** Told where a node does not start although nobody killed it. */
  onStartFailed: (machine: Machine<unknown>, error: unknown) => void = (machine, error) => {
    this.problem(`${machine.name} does not start: ${errorText(error)}`);
  };

  #device(planned: PlannedDevice): SimulatedDevice {
    const name = `${planned.zone}/${planned.name}`;
    const { time } = this;
    const accounts = planned.accounts.map(({ name: username, password }) => ({ username, password: `password=${password}` }));
    const device = new SimulatedDevice({ name, kind: planned.kind, time, dice: this.dice.fork(name), accounts });
    device.problem = (problem) => this.problem(problem);
    device.onTrick = (trick) => this.count(`device: ${trick}`);
    device.onExchange = (account, op, outcome) => this.note(`${name}/${account}`, `${op} ${outcome}`);
    return device;
  }
}

const frameNames = ["?", "part", "stored", "credit", "ping", "pong", "heads", "close"];

/** What kind of message it is: everything but a frame of an open session is a hello. */
function frameName(message: Uint8Array): string {
  const known = message[0] === 0 && message[1] === 0 && message[2] === 0 && message[3] === 0;
  return known ? (frameNames[message[8] ?? 0] ?? "?") : "hello";
}

function errorText(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? String(error);
}
