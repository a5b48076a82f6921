import { decodeRecord, decodeValue, tables } from "../../edge/rotation/record.ts";
import { asBytesUpTo, asTuple, asUint, decodeTcbor, toHex } from "../../protocol/base/index.ts";
import { decodeFact } from "../../protocol/content/index.ts";
import { everyCandidate, type RotationState } from "../../protocol/rotation/index.ts";
import type { DeviceAccount } from "./device.ts";
import type { Change } from "./disk.ts";
import type { SeenValue, VaultEyes } from "./vault-eyes.ts";
import type { PlannedAccount, World } from "./world.ts";

/** Why a live password may be one that the vault counts as neither acknowledged nor issued. */
export type Excuse = "the device came back with an older value" | "a person gave a value" | "the device denied what it did";

/** What must hold after every step, whatever else happens. */
export class Invariants {
  readonly #world: World;
  readonly #eyes: VaultEyes;
  /** Fingerprint of each value by account and index, wherever it was seen. */
  readonly #fingerprints = new Map<string, string>();
  readonly #excuses = new Map<string, Set<Excuse>>();
  /** Passwords that a person has set on a device and not told the vault of. */
  readonly untold = new Map<string, string>();
  /** The last bundle that each edge has applied. */
  readonly #applied = new Map<string, number>();
  /** Every value that the vault ever held, by path and index. */
  readonly #held = new Map<string, string>();
  #secrets: Buffer[] = [];
  /** Path of each account, by its id in hexadecimal. */
  readonly #paths = new Map<string, string>();
  #seen = "";
  checks = 0;

  constructor(world: World, eyes: VaultEyes) {
    this.#world = world;
    this.#eyes = eyes;
    for (const edge of world.edges) edge.disk.onCommit = (changes) => this.#onEdgeCommit(edge, changes);
    for (const device of world.devices.values()) device.onPush = (username) => this.#onPush(`${device.name}/${username}`);
    world.onMessage = (message) => this.#onMessage(message);
  }

  excuse(path: string, excuse: Excuse): void {
    const known = this.#excuses.get(path) ?? new Set();
    this.#excuses.set(path, known.add(excuse));
  }

  /** Looks where anything may have changed. */
  check(): void {
    const { vaultDisk, devices } = this.#world;
    this.#neverGoesBack();
    let changes = 0;
    for (const device of devices.values()) changes += device.changes;
    const seen = `${vaultDisk.commits}/${changes}/${this.untold.size}`;
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.checks += 1;
    const values = this.#eyes.values();
    this.#learnSecrets(values);
    this.#forgetsNothing(values);
    for (const [path, list] of values) {
      this.#paths.set(list[0]?.account ?? "", path);
      this.#checkAccount(path, list);
    }
  }

  /** Logins whose live password is another than the one that the vault believes in. */
  disagreements(): string[] {
    return [...this.#eyes.values()].flatMap(([path, list]) => {
      const live = deviceAccount(this.#world, path)?.live;
      const believed = list.find(({ status }) => status === "acknowledged")?.text;
      return live === undefined || believed === live ? [] : [path];
    });
  }

  /** The vault's list if every edge were gone for ever now. */
  #checkAccount(path: string, list: readonly SeenValue[]): void {
    for (const { index, fingerprint } of list) this.#sameFingerprint(`${path} ${index}`, fingerprint);
    const acknowledged = list.filter(({ status }) => status === "acknowledged");
    const issued = list.filter(({ status }) => status === "issued");
    if (acknowledged.length !== 1) this.#world.problem(`${path} has ${acknowledged.length} acknowledged values`);
    if (issued.length > 2) this.#world.problem(`${path} has ${issued.length} issued values`);
    const account = deviceAccount(this.#world, path);
    if (account === null || this.untold.get(path) === account.live) return;
    const live = list.find(({ text }) => text === account.live);
    if (live === undefined) return this.#world.problem(`lost: the live password of ${path} is no candidate of the vault`);
    if (live.status === "acknowledged" || live.status === "issued" || this.#excuses.has(path)) return;
    this.#world.problem(`the live password of ${path} is ${live.status} at the vault, for no reason`);
  }

  #sameFingerprint(index: string, fingerprint: string): void {
    const known = this.#fingerprints.get(index);
    if (known !== undefined && known !== fingerprint) this.#world.problem(`fork: ${index} has two values`);
    this.#fingerprints.set(index, fingerprint);
  }

  /** What an edge has applied stays applied, whatever becomes of its process. */
  #neverGoesBack(): void {
    for (const { name, running } of this.#world.edges) {
      if (running === null) continue;
      const { seq } = running.core.node.head();
      const before = this.#applied.get(name) ?? 0;
      if (seq < before) this.#world.problem(`${name} goes back from bundle ${before} to ${seq}`);
      this.#applied.set(name, seq);
    }
  }

  /** What the vault held once it holds for ever. */
  #forgetsNothing(values: ReadonlyMap<string, readonly SeenValue[]>): void {
    const now = new Set<string>();
    for (const [path, list] of values) for (const { index } of list) now.add(`${path} ${index}`);
    for (const known of this.#held.keys()) if (!now.has(known)) this.#world.problem(`the vault has forgotten ${known}`);
    for (const [path, list] of values) for (const { index, text } of list) this.#held.set(`${path} ${index}`, text);
  }

  /** What an edge has just made durable. */
  #onEdgeCommit(edge: World["edges"][number], changes: readonly Change[]): void {
    for (const { table, key, before, after } of changes) {
      if (after === null) continue;
      if (table === tables.account) this.#onRecord(edge, key, { before, after });
      if (table === tables.value) this.#onValue(key, after);
      if (table === "fact" && before === null) this.#onFact(after);
    }
  }

  #onRecord(edge: World["edges"][number], key: string, row: { before: Uint8Array | null; after: Uint8Array }): void {
    const { state } = decodeRecord(row.after);
    const path = this.#paths.get(key);
    if (path === undefined) return;
    const known = new Set(everyCandidate(state).map(({ ref }) => ref));
    const before = row.before === null ? [] : everyCandidate(decodeRecord(row.before).state);
    if (before.some(({ ref }) => !known.has(ref))) this.#world.problem(`${edge.name} forgets a value of ${path}`);
    if (state.phase === "UNKNOWN") this.#onUnknown(path, state);
    if (state.pending?.action !== "push") return;
    for (const [otherKey, other] of edge.disk.rows(tables.account)) {
      const name = this.#paths.get(otherKey);
      if (name === undefined || otherKey === key || deviceName(name) !== deviceName(path)) continue;
      if (isChanging(decodeRecord(other).state)) this.#world.problem(`${path} is pushed while ${name} changes`);
    }
    if (plannedAccount(this.#world, path)?.rotate === "never")
      this.#world.problem(`${path} is pushed although it is never rotated`);
    if (state.hold !== null) this.#world.problem(`${path} is pushed although it is held`);
    if (row.before !== null && decodeRecord(row.before).state.phase === "STAGED") this.#maySend(edge, path);
  }

  /** Nobody gives up on a device whose password is known: only people, and devices that go back meanwhile, may mislead a probe. */
  #onUnknown(path: string, state: RotationState): void {
    const live = deviceAccount(this.#world, path)?.live;
    if (this.#excuses.has(path) || this.untold.has(path)) return;
    const known = everyCandidate(state).some(({ index }) => this.#held.get(`${path} ${index.join(".")}`) === live);
    if (known) this.#world.problem(`${path} is unknown although a candidate is live`);
  }

  /** People on the segment have the last word about whether a change begins. */
  #maySend({ running }: World["edges"][number], path: string): void {
    if (running === null) return;
    const { site, credentials } = running.core;
    const device = credentials.accountAt(path)?.device ?? null;
    if (device !== null && site.heldFor(device) !== null)
      this.#world.problem(`${path} is pushed although its device is held on the segment`);
    if (!site.permitted()) this.#world.problem(`${path} is pushed without a permit`);
  }

  /** Before the first packet of a change leaves, the intent is durable. */
  #onPush(path: string): void {
    for (const edge of this.#world.edges) {
      for (const [key, row] of edge.disk.rows(tables.account)) {
        if (this.#paths.get(key) !== path) continue;
        const { state } = decodeRecord(row);
        const intended = state.phase === "SENT" && state.pending?.action === "push";
        if (!intended || edge.disk.open) this.#world.problem(`${path} is pushed without a durable intent`);
      }
    }
  }

  #onValue(key: string, after: Uint8Array): void {
    const path = this.#paths.get(key.slice(0, 32));
    if (path === undefined) return;
    const { index, fingerprint } = decodeValue(after.slice());
    this.#sameFingerprint(`${path} ${index.join(".")}`, toHex(fingerprint));
  }

  /** A value is reported as verified only once the device has kept it. */
  #onFact(row: Uint8Array): void {
    const [, type, payload] = asTuple(decodeTcbor(row), "fact", 3);
    const fact = decodeFact({ type: asUint(type, "type"), payload: asBytesUpTo(payload, "payload", 65_536) });
    if (fact.kind !== "rotation") return;
    this.#world.count(`rotation: ${fact.outcome ?? fact.state}`);
    if (fact.outcome !== "verified") return;
    const values = this.#eyes.values();
    for (const [path, list] of values) {
      const value = list.find(({ fingerprint }) => fingerprint === toHex(fact.fingerprint));
      const account = value === undefined ? null : deviceAccount(this.#world, path);
      if (value === undefined || account === null || this.#excuses.has(path) || this.untold.has(path)) continue;
      if (account.saved !== value.text) this.#world.problem(`${path} is reported as verified and not kept by its device`);
    }
  }

  #learnSecrets(values: ReadonlyMap<string, readonly SeenValue[]>): void {
    const texts = new Set([...values.values()].flatMap((list) => list.map(({ text }) => text.slice(text.indexOf("=") + 1))));
    if (texts.size !== this.#secrets.length) this.#secrets = [...texts].map((text) => Buffer.from(text));
  }

  /** No password crosses the network unsealed. */
  #onMessage(message: Uint8Array): void {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.length);
    if (bytes.length < 128) return;
    if (this.#secrets.some((secret) => bytes.includes(secret))) this.#world.problem("a password crosses the network in clear");
  }
}

/** A push of this account may have reached its device, and nobody knows yet. */
function isChanging(state: RotationState): boolean {
  return state.pushes > 0 && ["SENT", "PROBE", "NEW-OK", "SAVED"].includes(state.phase);
}

/** The login that a path names. */
export function deviceAccount({ devices }: Pick<World, "devices">, path: string): DeviceAccount | null {
  const [zone, name, username = ""] = path.split("/");
  return devices.get(`${zone}.${name}`)?.accounts.get(username) ?? null;
}

/** What was planned for the login that a path names. */
export function plannedAccount({ plan }: Pick<World, "plan">, path: string): PlannedAccount | null {
  const [zone, name, username] = path.split("/");
  const device = plan.devices.find((each) => each.zone === zone && each.name === name);
  return device?.accounts.find((account) => account.name === username) ?? null;
}

function deviceName(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
