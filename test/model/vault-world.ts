import { AssertionError, sameBytes, TidegateError } from "../../protocol/base/index.ts";
import {
  applyBody,
  type EntryMap,
  emptyBody,
  emptyDigest,
  emptyState,
  headerHeard,
  itemApplied,
  itemIssued,
  type Judge,
  judge,
  type ReceiverState,
  raiseReceiverEpoch,
  raiseSenderEpoch,
  type SenderState,
  snapshotDue,
  startReceiver,
  startSender,
} from "../../protocol/bundle/index.ts";
import { adopted, type Candidate, everyCandidate, offersOf, openValues, step } from "../../protocol/rotation/index.ts";
import { DeviceWorld, keyOf as keyOfPlant, type Move, type RotationReport, type Step, type World } from "./device-world.ts";
import { isSettled, type Model } from "./explorer.ts";
import {
  desired,
  type Item,
  ingested,
  type ModelFact,
  makeItem,
  newVault,
  nonceOf,
  offered,
  printOf,
  restoredVault,
  towardsNewEdge,
  type VaultState,
  worked,
} from "./model-vault.ts";

/** What is explored of vault, medium, edge and device together; the rules are the real ones unless a planted bug breaks one. */
export interface SystemOptions {
  readonly step?: Step;
  readonly judge?: Judge;
  /** Values that the vault issues in an epoch. */
  readonly values?: number;
  /** Which of the vault's states bundles leave from: real is `replica`, what was stored and copied. */
  readonly exportFrom?: "memory" | "stored" | "replica";
  /** What a restored store is turned into. */
  readonly restore?: (backup: VaultState) => VaultState;
  /** What becomes of the vault's state with each report. */
  readonly afterReport?: (vault: VaultState) => VaultState;
  /** Changes that a planted bug makes to a new edge's account. */
  readonly newEdge?: (plant: World) => World;
  /** The edge goes on taking bundles of the old epoch after the root that raised it. */
  readonly takesOldEpoch?: boolean;
  readonly edgeDies?: boolean;
  readonly vaultFailsOver?: boolean;
  readonly vaultRestored?: boolean;
  readonly deviceResets?: boolean;
  /** Late and doubled changes too. */
  readonly late?: boolean;
  readonly maxStates?: number;
}

/** The edge's ends of its streams. */
interface EdgeLink {
  readonly receiver: ReceiverState;
  readonly entries: EntryMap;
  readonly sender: SenderState;
  /** Every report that it ever sealed: the medium may bring any of them, any number of times. */
  readonly reports: readonly Item[];
  readonly leaves: number;
  /** Vault epoch of the newest root that it knows, and the one of its last acknowledged escrow. */
  readonly root: number;
  readonly escrowed: number;
}

export interface SystemWorld {
  readonly plant: World;
  /** The vault's transaction under way, its store, and the copy of its store. */
  readonly memory: VaultState;
  readonly stored: VaultState;
  readonly replica: VaultState;
  /** Every bundle that ever left for this edge: the medium loses, doubles, reorders and replays. */
  readonly medium: readonly Item[];
  readonly link: EdgeLink;
  /** Which edge it is: the first, or the one in its place. */
  readonly edge: number;
  readonly failedOver: boolean;
  readonly restored: boolean;
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
  readonly #values: number;
  readonly #judge: Judge;
  readonly #plant: DeviceWorld;
  readonly #backup: VaultState;
  readonly #ids = new WeakMap<object, number>();
  readonly #texts = new Map<string, number>();
  readonly #applied = new WeakMap<Item, WeakMap<EntryMap, EntryMap | string>>();

  constructor(options: SystemOptions) {
    this.#options = options;
    this.#values = options.values ?? 2;
    this.#judge = options.judge ?? judge;
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
    const vault = worked(newVault(1), 0, true);
    return this.#joined({ plant: this.#plant.start(), edge: 1, vault, failedOver: false, restored: false });
  }

  moves(world: SystemWorld): SystemMove[] {
    const moves = this.#plant.moves(world.plant).map((move) => this.#ofPlant(world, move));
    for (const item of world.medium) moves.push(...this.#bundle(world, item));
    moves.push(...this.#vaultMoves(world));
    const { link } = world;
    if (world.stored.ledger.epoch > link.root) {
      const knows = { ...link, root: world.stored.ledger.epoch };
      const receiver = this.#options.takesOldEpoch === true ? link.receiver : raiseReceiverEpoch(link.receiver, knows.root);
      const plant = { ...world.plant, escrowed: false };
      moves.push({
        name: "new root reaches the edge",
        to: { ...world, plant, link: this.#report(plant, { ...knows, receiver }, []) },
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
    const link = reports.length === 0 ? world.link : this.#report(to, world.link, reports);
    return { name, problem, to: { ...world, plant: to, link } };
  }

  /** Seals a report: what is not acknowledged goes into a snapshot again, an escrow into each until one is acknowledged. */
  #report(plant: World, link: EdgeLink, reports: readonly RotationReport[]): EdgeLink {
    const facts: ModelFact[] = reports.map(({ report, ref }, i) => ({
      leaf: link.leaves + i + 1,
      report: { kind: report, index: indexOf(plant, ref), fingerprint: printOf(ref) },
    }));
    const open = link.reports.filter(({ id }) => link.sender.unacknowledged.some((each) => sameBytes(each.id, id)));
    const sender = link.root > link.sender.epoch ? raiseSenderEpoch(link.sender, link.root) : link.sender;
    const snapshot = snapshotDue(sender);
    const digest = emptyDigest();
    const due = link.root > link.escrowed;
    const item = makeItem({
      sender,
      receiver: link.receiver,
      body: emptyBody(digest, snapshot ? null : digest),
      root: link.root,
      facts: snapshot ? [...open.flatMap((each) => each.facts), ...facts] : facts,
      escrow: due ? escrowOf(plant) : null,
      up: true,
    });
    return {
      ...link,
      leaves: link.leaves + facts.length,
      sender: itemIssued(sender, item.id, item.header.kind),
      reports: [...link.reports, item],
    };
  }

  /** A bundle arrives: judged, applied whole, and its values offered to the machine. */
  #bundle(world: SystemWorld, item: Item): SystemMove[] {
    const { link } = world;
    const name = `${item.name} arrives`;
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
      after = applied(held, item);
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
        offer.kind === "acknowledged" ? offer : { kind: offer.kind, candidate: candidate(offer.value.ref, offer.value.index) };
      const move = this.#plant.apply(plant, name, event);
      plant = move.to;
      problem ??= move.problem;
      if (move.reports !== undefined && move.reports.length > 0) link = this.#report(plant, link, move.reports);
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
      const lost = { ...stored, lineage: Math.max(stored.lineage, 1) };
      moves.push({ name: "vault crashes", to: { ...world, memory: lost, stored: lost } });
      return moves;
    }
    if (stored !== replica) moves.push({ name: "vault's copy catches up", to: { ...world, replica: stored } });
    if (this.#options.vaultFailsOver === true && !world.failedOver && stored !== replica) {
      const copy = { ...replica, lineage: replica.lineage + 1 };
      moves.push({
        name: "vault dies, its copy takes over",
        to: { ...world, memory: copy, stored: copy, replica: copy, failedOver: true },
      });
    }
    if (stored !== replica) return moves;
    const work = worked(stored, this.#values, false);
    if (work !== stored) moves.push({ name: "vault issues", to: { ...world, memory: work } });
    for (const item of world.link.reports) {
      const after = ingested(stored, item, this.#judge, this.#values);
      if (after === null) continue;
      const state = this.#options.afterReport?.(after.state) ?? after.state;
      moves.push({ name: `${item.name} arrives`, to: { ...world, memory: state }, problem: after.problem });
    }
    if (this.#options.vaultRestored === true && !world.restored) {
      const back = (this.#options.restore ?? restoredVault)(this.#backup);
      moves.push({
        name: "vault restored from its backup",
        to: { ...world, memory: back, stored: back, replica: back, restored: true },
      });
    }
    return moves;
  }

  /** Another edge joins with what the vault holds; it counts the attempts of this window as spent, as the first may have made them. */
  #replaced({ plant, stored, failedOver, restored }: SystemWorld): SystemWorld {
    const vault = worked(towardsNewEdge(stored, 2), 0, true);
    const values = desired(vault.ledger).map(({ index: { epoch, number }, payload: [role, ref = 0] }) => ({
      role,
      candidate: candidate(ref, [epoch, number]),
    }));
    const current = values.find(({ role }) => role === 0)?.candidate ?? candidate(0, [1, 0]);
    const pool = values.filter(({ role }) => role !== 0).map((each) => each.candidate);
    const fresh: World = { ...plant, edge: { ...adopted(current), pool, spent: 1 }, inFlight: null, refused: null };
    return this.#joined({ plant: this.#options.newEdge?.(fresh) ?? fresh, edge: 2, vault, failedOver, restored });
  }

  /** A join's answer is a snapshot, which the edge applies and acknowledges. */
  #joined(parts: Omit<SystemWorld, "memory" | "stored" | "replica" | "medium" | "link"> & { vault: VaultState }): SystemWorld {
    const { vault, ...rest } = parts;
    const [snapshot] = vault.outbox;
    if (snapshot === undefined) throw new Error("a join is answered");
    const { epoch } = vault.ledger;
    const receiver = startReceiver({ epoch, rootVersion: 1, stateDigest: emptyDigest(), nonce: nonceOf(rest.edge) });
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
    const link = this.#report(parts.plant, begun, []);
    const [report] = link.reports;
    const after = report === undefined ? null : ingested(vault, report, judge, 0);
    if (after === null) throw new Error("a first report is taken");
    const { state } = after;
    const plant = { ...parts.plant, escrowed: true };
    return { ...rest, plant, memory: state, stored: state, replica: state, medium: [], link: { ...link, reports: [] } };
  }
}

function applied(held: EntryMap, item: Item): EntryMap | string {
  try {
    return applyBody(held, item.body).entries;
  } catch (error) {
    if (error instanceof TidegateError) return `${item.name} does not fit: ${error.code}`;
    throw error;
  }
}

function candidate(ref: number, index: readonly [number, number]): Candidate {
  return { ref, kind: "password", index, derivedFrom: null };
}

function indexOf({ edge }: World, ref: number): readonly [number, number] {
  return everyCandidate(edge).find((each) => each.ref === ref)?.index ?? [0, 0];
}

/** All live candidates and the pool, as an escrow blob holds them. */
function escrowOf({ edge }: World) {
  const known = new Map([...edge.candidates, ...edge.pool].map((each) => [each.ref, each]));
  const values = [...known.values()].map(({ ref, index }) => ({ index, fingerprint: printOf(ref) }));
  return { current: known.get(edge.current)?.index ?? [0, 0], values } as const;
}

function vaultText({ ledger, sender, receiver, outbox, ...rest }: VaultState): string {
  const values = ledger.values.map(({ index, fingerprint: [ref], status }) => `${index.join(".")}=${ref}${status}`);
  const streams = [
    sender.epoch,
    sender.nextSeq,
    sender.snapshotWanted,
    placeText(sender.acknowledged),
    placeText(receiver.head),
  ];
  const sent = outbox.map(({ id }) => hex(id));
  const state = [ledger.epoch, ledger.nextNumber, ledger.unsettled, rest.lastLeaf, rest.drawn, rest.lineage];
  return `${values}|${streams}|${sent}|${state}|${hex(sender.prev)}`;
}

function placeText(head: { readonly epoch: number; readonly seq: number } | null): string {
  return head === null ? "-" : `${head.epoch}.${head.seq}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
