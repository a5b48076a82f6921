import { AssertionError, sameBytes } from "../../protocol/base/index.ts";
import {
  type EntryMap,
  emptyDigest,
  emptyState,
  headerHeard,
  itemApplied,
  type Judge,
  judge,
  type ReceiverState,
  startReceiver,
  startSender,
} from "../../protocol/bundle/index.ts";
import { adopted, everyCandidate, offersOf, openValues, step } from "../../protocol/rotation/index.ts";
import { DeviceWorld, keyOf as keyOfPlant, type Move, type World } from "./device-world.ts";
import { isSettled, type Model } from "./explorer.ts";
import { candidate, type EdgeLink, entriesWith, reported } from "./model-edge.ts";
import {
  hex,
  type Item,
  ingested,
  newVault,
  nonceOf,
  offered,
  placeText,
  restoredVault,
  towardsNewEdge,
  type VaultState,
  vaultText,
  worked,
} from "./model-vault.ts";
import type { SystemOptions, SystemWorld } from "./system-world.ts";
import { VaultWork } from "./vault-work.ts";

/** Both ends after a new edge has joined. */
interface Join {
  readonly vault: VaultState;
  readonly link: EdgeLink;
}

interface SystemMove {
  readonly name: string;
  readonly to: SystemWorld;
  readonly problem?: string | undefined;
}

const lockout = 3;

/** Vault, medium, edge and device in one space. */
export class SystemModel implements Model<SystemWorld> {
  readonly #options: SystemOptions;
  readonly #judge: Judge;
  readonly #plant: DeviceWorld;
  readonly #backup: VaultState;
  readonly #ids = new WeakMap<object, number>();
  readonly #texts = new Map<string, number>();
  readonly #applied = new WeakMap<Item, WeakMap<EntryMap, EntryMap | string>>();
  readonly #vaults: VaultWork;
  readonly #joins = new WeakMap<VaultState, Join>();

  constructor(options: SystemOptions) {
    this.#options = options;
    this.#judge = options.judge ?? judge;
    this.#vaults = new VaultWork({ judge: this.#judge, values: options.values ?? 2, afterReport: options.afterReport });
    this.#plant = new DeviceWorld({
      step: options.step ?? step,
      threshold: lockout,
      beside: true,
      prompt: options.late !== true,
      resets: options.deviceResets === true,
    });
    this.#backup = this.start().stored;
  }

  get taken(): ReadonlySet<string> {
    return this.#plant.taken;
  }

  /** An adopted account, both streams begun, nothing issued yet. */
  start(): SystemWorld {
    const { vault, link } = this.#join(this.#vaults.one(worked(newVault(1), 0, true)), 1);
    const vaults = { memory: vault, stored: vault, replica: vault };
    return { ...vaults, plant: this.#plant.start(), medium: [], link, edge: 1, failedOver: false, restored: false };
  }

  moves(world: SystemWorld): SystemMove[] {
    const moves = this.#plant.moves(world.plant).map((move) => this.#ofPlant(world, move));
    for (const item of world.medium) moves.push(...this.#bundle(world, item));
    moves.push(...this.#vaultMoves(world));
    const { link } = world;
    if (world.stored.ledger.epoch > link.root) {
      const knows = { ...link, root: world.stored.ledger.epoch };
      const plant = { ...world.plant, escrowed: false };
      moves.push({
        name: "new root reaches the edge",
        to: { ...world, plant, link: reported(plant, knows, []) },
      });
    }
    const whole = world.memory === world.replica;
    if (this.#options.edgeDies === true && world.edge === 1 && whole && !world.stored.ledger.unsettled)
      moves.push({ name: "edge dies, another takes its place", to: this.#replaced(world) });
    return moves;
  }

  judge({ plant, stored, restored }: SystemWorld): string | undefined {
    const { ledger } = stored;
    if (plant.failures >= lockout) return "locked out";
    const edge = everyCandidate(plant.edge);
    if (!edge.some(({ ref }) => ref === plant.live)) return "lost: the live password is no candidate of the edge";
    // A restored vault has to learn first; until then it must not lose its edge too.
    if (!ledger.unsettled && !ledger.values.some(({ fingerprint: [ref] }) => ref === plant.live))
      return "lost: the vault does not hold the live password";
    if (openValues(ledger).length > 2) return "more than two open values";
    if (plant.edge.phase === "UNKNOWN") return "unknown although a candidate is live";
    if (plant.edge.hold !== null && !restored) return "held";
    return undefined;
  }

  isCalm({ plant, stored }: SystemWorld): boolean {
    const acknowledged = stored.ledger.values.find(({ status }) => status === "acknowledged")?.fingerprint[0];
    return isSettled(plant) && !stored.ledger.unsettled && acknowledged === plant.live;
  }

  phaseOf({ plant }: SystemWorld): string {
    return plant.edge.phase;
  }

  keyOf({ plant, memory, stored, replica, medium, link, ...flags }: SystemWorld): string {
    const vaults = [memory, stored, replica].map((vault) => this.#numberOf(vault, vaultText));
    const { receiver, sender, reports, entries, ...rest } = link;
    const streams = [receiver.epoch, placeText(receiver.head), sender.epoch, sender.nextSeq, sender.unacknowledged.length];
    const items = [...medium, ...reports].map(({ id }) => this.#numberOf(id, hex));
    const others = [...Object.values(rest), flags.edge, +flags.failedOver, +flags.restored];
    return `${keyOfPlant(plant)}|${vaults}|${streams}|${items}|${others}`;
  }

  /** Short names for equal things: many worlds share one vault state. */
  #numberOf<T extends object>(thing: T, text: (thing: T) => string): number {
    const known = this.#ids.get(thing);
    if (known !== undefined) return known;
    const name = text(thing);
    const number = this.#texts.get(name) ?? this.#texts.size;
    this.#texts.set(name, number);
    this.#ids.set(thing, number);
    return number;
  }

  /** A step of edge, device or people; what the machine reports is sealed with it. */
  #ofPlant(world: SystemWorld, { name, to, problem, reports = [] }: Move): SystemMove {
    const link = reports.length === 0 ? world.link : reported(to, world.link, reports);
    return { name, problem, to: { ...world, plant: to, link } };
  }

  /** A bundle arrives: judged, applied whole, and its values offered to the machine. */
  #bundle(world: SystemWorld, item: Item): SystemMove[] {
    const { link } = world;
    const name = `${item.name} arrives`;
    // What verifyBundle refuses: an epoch that the node's newest root has ended.
    if (item.header.vaultEpoch < link.root && this.#options.takesOldEpoch !== true) return [];
    const judgement = this.#judge(link.receiver, item.header, item.id);
    if (judgement.verdict === "refuse" && judgement.quarantine)
      return [{ name, to: world, problem: `the stream forked: ${judgement.code}` }];
    if (judgement.verdict !== "apply") return [];
    const entries = this.#entriesAfter(link.entries, item);
    if (typeof entries === "string") return [{ name, to: world, problem: entries }];
    let receiver: ReceiverState;
    try {
      receiver = itemApplied(link.receiver, item.header, item.id, item.body.resultDigest).receiver;
    } catch (error) {
      if (error instanceof AssertionError)
        return [{ name, to: world, problem: `an older bundle was applied: ${error.message}` }];
      throw error;
    }
    const heard = headerHeard(link.sender, item.header);
    const escrowed = heard.sender.unacknowledged.length === 0 ? Math.max(link.escrowed, heard.sender.epoch) : link.escrowed;
    const plant = { ...world.plant, escrowed: escrowed >= link.root };
    return [this.#offer({ ...world, plant, link: { ...link, receiver, entries, sender: heard.sender, escrowed } }, name)];
  }

  #entriesAfter(held: EntryMap, item: Item): EntryMap | string {
    const known = this.#applied.get(item) ?? new WeakMap<EntryMap, EntryMap | string>();
    this.#applied.set(item, known);
    let after = known.get(held);
    if (after === undefined) {
      after = entriesWith(held, item);
      known.set(held, after);
    }
    return after;
  }

  #offer(world: SystemWorld, name: string): SystemMove {
    let { plant, link } = world;
    let problem: string | undefined;
    for (const offer of offersOf(plant.edge, offered(link.entries))) {
      if (offer.kind === "known") {
        if (offer.candidate.ref !== offer.value.ref) problem ??= `fork: two values bear index ${offer.value.index.join(".")}`;
        continue;
      }
      const event =
        offer.kind === "acknowledged" || offer.kind === "restored"
          ? offer
          : { kind: offer.kind, candidate: candidate(offer.value.ref, offer.value.index) };
      const move = this.#plant.apply(plant, name, event);
      plant = move.to;
      problem ??= move.problem;
      if (move.reports !== undefined && move.reports.length > 0) link = reported(plant, link, move.reports);
    }
    return { name, problem, to: { ...world, plant, link } };
  }

  /** The vault's transactions, one after the other: work, store, copy; bundles leave in between. */
  #vaultMoves(world: SystemWorld): SystemMove[] {
    const { memory, stored, replica, medium } = world;
    const moves: SystemMove[] = [];
    const source = world[this.#options.exportFrom ?? "replica"];
    const unsent = source.outbox.filter(({ id }) => !medium.some((item) => sameBytes(item.id, id)));
    if (unsent.length > 0) moves.push({ name: "bundles leave the vault", to: { ...world, medium: [...medium, ...unsent] } });
    if (memory !== stored) {
      moves.push({ name: "vault stores", to: { ...world, stored: memory } });
      const lost = this.#vaults.one({ ...stored, lineage: Math.max(stored.lineage, 1) });
      moves.push({ name: "vault crashes", to: { ...world, memory: lost, stored: lost } });
      return moves;
    }
    if (stored !== replica) moves.push({ name: "vault's copy catches up", to: { ...world, replica: stored } });
    if (this.#options.vaultFailsOver === true && !world.failedOver && stored !== replica) {
      const copy = this.#vaults.one({ ...replica, lineage: replica.lineage + 1 });
      moves.push({
        name: "vault dies, its copy takes over",
        to: { ...world, memory: copy, stored: copy, replica: copy, failedOver: true },
      });
    }
    if (stored !== replica) return moves;
    const work = this.#vaults.work(stored);
    if (work !== stored) moves.push({ name: "vault issues", to: { ...world, memory: work } });
    for (const item of world.link.reports) {
      const after = this.#vaults.ingest(stored, item);
      if (after !== null)
        moves.push({ name: `${item.name} arrives`, to: { ...world, memory: after.state }, problem: after.problem });
    }
    if (this.#options.vaultRestored === true && !world.restored) {
      const back = this.#vaults.one((this.#options.restore ?? restoredVault)(this.#backup));
      moves.push({
        name: "vault restored from its backup",
        to: { ...world, memory: back, stored: back, replica: back, restored: true },
      });
    }
    return moves;
  }

  /** Another edge joins with what the vault holds; it counts the attempts of this window as spent, as the first may have made them. */
  #replaced(world: SystemWorld): SystemWorld {
    const { plant, stored } = world;
    const join = this.#joins.get(stored) ?? this.#join(this.#vaults.one(worked(towardsNewEdge(stored, 2), 0, true)), 2);
    this.#joins.set(stored, join);
    const values = offered(join.link.entries).map(({ role, ref, index }) => ({ role, candidate: candidate(ref, index) }));
    const current = values.find(({ role }) => role === "current")?.candidate ?? candidate(0, [1, 0]);
    const pool = values.filter(({ role }) => role === "pool").map((each) => each.candidate);
    const edge = { ...adopted(current), pool, spent: 1 };
    const fresh: World = { ...plant, edge, inFlight: null, refused: null, escrowed: true };
    const { vault, link } = join;
    const here = { memory: vault, stored: vault, replica: vault, medium: [], link, edge: 2 };
    return { ...world, ...here, plant: this.#options.newEdge?.(fresh) ?? fresh };
  }

  /** A join's answer is a snapshot, which the edge applies and acknowledges. */
  #join(vault: VaultState, edge: number): Join {
    const [snapshot] = vault.outbox;
    if (snapshot === undefined) throw new Error("a join is answered");
    const { epoch } = vault.ledger;
    const receiver = startReceiver({ epoch, rootVersion: 1, stateDigest: emptyDigest(), nonce: nonceOf(edge) });
    const entries = this.#entriesAfter(emptyState, snapshot);
    if (typeof entries === "string") throw new Error(entries);
    const begun: EdgeLink = {
      receiver: itemApplied(receiver, snapshot.header, snapshot.id, snapshot.body.resultDigest).receiver,
      entries,
      sender: headerHeard(startSender(epoch), snapshot.header).sender,
      reports: [],
      leaves: 0,
      root: epoch,
      escrowed: epoch,
    };
    const link = reported(this.#plant.start(), begun, []);
    const [report] = link.reports;
    const after = report === undefined ? null : ingested(vault, report, judge, 0);
    if (after === null) throw new Error("a first report is taken");
    return { vault: this.#vaults.one(after.state), link: { ...link, reports: [] } };
  }
}
