import type { Store } from "../../agent/store/index.ts";
import type { DeviceModel } from "../../firmware-adapters/index.ts";
import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { ContentView, CredentialContent, DeviceContent } from "../../protocol/content/index.ts";
import { adopted, attemptLimit, offersOf } from "../../protocol/rotation/index.ts";
import { WeekCalendar } from "../../protocol/time/index.ts";
import { type Account, accountOf, type DeviceSpec, type OpenOrder } from "./account.ts";
import type { Books } from "./commit.ts";
import type { RotationEngine } from "./engine.ts";
import type { IssuedValue } from "./issue-values.ts";
import { accountsAPart } from "./limits.ts";
import type { Moment } from "./moment.ts";
import { hasEnded } from "./orders.ts";
import { type AccountRecord, encodeRecord, encodeValue, type StoredValue, tables, valueId } from "./record.ts";
import { keepName, nameOfValue } from "./value-names.ts";

/** What a device's model is here, and its settings with the defaults filled in; null where the edge cannot use it. */
export type ModelSource = (
  name: string,
  settings: Readonly<Record<string, string>>,
) => { readonly model: DeviceModel; readonly settings: Readonly<Record<string, string>> } | null;

export interface SyncOptions {
  readonly store: Store;
  readonly books: Books;
  readonly models: ModelSource;
  /** The node is in quarantine: every account is held until an operator releases it. */
  readonly held: boolean;
  /**
   * Now, where this edge has taken nothing in before: the accounts that its first bundle brings may have been another edge's until a
   * moment ago, so their attempts count as spent, and changes as under way.
   */
  readonly joinedAt?: Moment | null;
}

/**
 * Brings the accounts in line with what the vault wants: adopts new ones, hands further values to their machines, notes orders.
 * Repeating it changes nothing, so it runs at each start and after each bundle. Throws STORE_*.
 */
export function syncAccounts(engine: RotationEngine, view: ContentView, options: SyncOptions): void {
  adoptNew(engine, view, options);
  const known = takeContents(engine, view, options);
  // One commit for all: where a bundle brings news of a thousand accounts, each would wait for the disk.
  engine.commits.now(() => {
    takeNews(engine, view, known, options);
    engine.advanceAll();
  });
}

/**
 * {@link syncAccounts} at a start, where every value of `view` was taken in before: in parts, between which others may be served.
 * Throws STORE_*.
 */
export function* resumeAccounts(engine: RotationEngine, view: ContentView, options: SyncOptions): Generator<void> {
  const known = takeContents(engine, view, options);
  yield;
  engine.commits.now(() => takeNews(engine, view, known, options));
  const accounts = [...engine.accounts.values()];
  for (let from = 0; from < accounts.length; from += accountsAPart) {
    yield;
    engine.advanceEach(accounts.slice(from, from + accountsAPart));
  }
}

type KnownOrders = ReadonlyMap<Account, readonly OpenOrder[]>;

/** Lays what the vault wants beside each account; returns the orders that it had before. */
function takeContents(engine: RotationEngine, view: ContentView, options: SyncOptions): KnownOrders {
  const known = new Map<Account, readonly OpenOrder[]>();
  const devices = deviceSpecs(engine, view, options.models);
  for (const account of engine.accounts.values()) {
    const held = view.accounts.get(account.key);
    account.content = held?.content ?? null;
    const device = held === undefined ? null : (devices.get(toHex(held.content.deviceId)) ?? null);
    // What waited for a window or for the end of a hold is looked at again at once.
    if (device?.calendar !== account.device?.calendar || device?.content.held !== account.device?.content.held)
      account.startAtMs = 0;
    account.device = device;
    known.set(account, account.orders);
    account.orders = [];
  }
  engine.devices.changed();
  return known;
}

/** Tells the machines what is new. */
function takeNews(engine: RotationEngine, view: ContentView, known: KnownOrders, options: SyncOptions): void {
  if (options.held) for (const account of engine.accounts.values()) engine.tell(account, { kind: "hold", cause: "sequence" });
  noteOrders(engine, view, options.store);
  // A new order does not wait for what an earlier one was refused for.
  for (const [account, before] of known)
    if (account.orders.some(({ id }) => !before.some((order) => sameBytes(order.id, id)))) account.startAtMs = 0;
  const issued: IssuedValue[] = [];
  for (const [key, credentials] of view.credentials) {
    const account = engine.accounts.get(key);
    if (account === undefined) continue;
    const contents = credentials.map(({ content }) => content);
    issued.push(...takeValues(engine, account, contents, options));
  }
  if (issued.length > 0) engine.issueAll(issued);
}

/** All new accounts in one transaction: adopting rotates nothing and touches no device. */
function adoptNew(engine: RotationEngine, view: ContentView, { store, books, models, joinedAt = null }: SyncOptions): void {
  const fresh: { account: Account; value: StoredValue }[] = [];
  for (const [key, { entry, content }] of view.accounts) {
    if (engine.accounts.has(key)) continue;
    const current = view.credentials.get(key)?.find(({ content }) => content.role === "current")?.content;
    if (current === undefined) continue;
    const value = storedValue(current);
    const state = adopted({ ref: 0, index: value.index });
    const takenOver = joinedAt !== null && locksOut(view.devices.get(toHex(content.deviceId))?.content ?? null, models);
    const record: AccountRecord = {
      state: takenOver ? { ...state, spent: attemptLimit("none") } : state,
      nextRef: 1,
      request: null,
      lastAttempt: takenOver ? joinedAt : null,
      lastPush: takenOver ? joinedAt : null,
      currentSinceS: books.time().lo,
      rotated: false,
      orderId: null,
      says: null,
      recheckAtS: null,
    };
    fresh.push({ account: accountOf(entry.id, key, record), value });
  }
  if (fresh.length === 0) return;
  store.transaction((tx) => {
    for (const { account, value } of fresh) {
      tx.put(tables.value, valueId(account.id, 0), encodeValue(value));
      tx.put(tables.account, account.id, encodeRecord(account.record));
    }
    books.audit.appendAll(
      tx,
      fresh.map(({ account, value }) => ({
        action: "credential.switch" as const,
        actor: { kind: "node" as const, id: books.self },
        subject: { kind: "account" as const, id: view.accounts.get(account.key)?.content.path ?? account.key },
        outcome: "ok" as const,
        details: { epoch: value.index[0], number: value.index[1] },
      })),
    );
  });
  for (const { account } of fresh) engine.add(account);
}

function deviceSpecs(engine: RotationEngine, view: ContentView, models: ModelSource): ReadonlyMap<string, DeviceSpec> {
  // Devices with the same windows share a calendar, also from one bundle to the next: what it has worked out is kept.
  const calendars = new Map<string, WeekCalendar>();
  for (const { device } of engine.accounts.values())
    if (device !== null) calendars.set(windowsKey(device.content), device.calendar);
  return new Map(
    [...view.devices].map(([key, { entry, content }]) => {
      const usable = models(content.model, Object.fromEntries(content.settings));
      const windows = windowsKey(content);
      const calendar = calendars.get(windows) ?? new WeekCalendar(content.windows, content.timeZone);
      calendars.set(windows, calendar);
      return [key, { id: entry.id, key, content, model: usable?.model ?? null, settings: usable?.settings ?? {}, calendar }];
    }),
  );
}

function windowsKey({ windows, timeZone }: DeviceContent): string {
  return windows.length === 0 ? "" : JSON.stringify([timeZone, windows]);
}

/** False only where the device is known never to lock anybody out. */
function locksOut(device: DeviceContent | null, models: ModelSource): boolean {
  return device === null || models(device.model, Object.fromEntries(device.settings))?.model.lockout !== "none";
}

function noteOrders(engine: RotationEngine, view: ContentView, store: Store): void {
  const ended = store.read(
    (rows) => new Set([...view.orders].filter(([, { entry }]) => hasEnded(rows, entry.id)).map(([key]) => key)),
  );
  for (const [key, { entry, content }] of view.orders) {
    const account = engine.accounts.get(toHex(content.accountId));
    if (account === undefined || ended.has(key) || entry.authority === null) continue;
    account.orders = [...account.orders, { id: entry.id, action: content.action, window: entry.authority, now: content.now }];
  }
}

/**
 * Values that the machine does not know yet, oldest first: those for the pool are returned, one that a person gave is told at once.
 * A value that contradicts a known index is a fork.
 */
function takeValues(
  engine: RotationEngine,
  account: Account,
  credentials: readonly CredentialContent[],
  options: SyncOptions,
): IssuedValue[] {
  const values = credentials.map((credential) => ({ role: credential.role, ...storedValue(credential) }));
  const issued: IssuedValue[] = [];
  for (const offer of offersOf(account.record.state, values)) {
    if (offer.kind === "acknowledged" || offer.kind === "restored") engine.tell(account, offer);
    else if (offer.kind === "issued") issued.push({ account, stored: offer.value });
    else if (offer.kind === "given") account.owed = engine.give(account, offer.value) !== null || account.owed;
    else if (!sameFingerprint(account, offer.candidate.ref, offer.value, options.store))
      engine.tell(account, { kind: "hold", cause: "fork" });
  }
  return issued;
}

function sameFingerprint(account: Account, ref: number, value: StoredValue, store: Store): boolean {
  const name = store.read((view) => nameOfValue(account, ref, view));
  if (name === null) return false;
  keepName(account, ref, name);
  return sameBytes(name.fingerprint, value.fingerprint);
}

function storedValue({ index, fingerprint, fields }: CredentialContent): StoredValue {
  return { index: [index.epoch, index.number], fingerprint, fields };
}
