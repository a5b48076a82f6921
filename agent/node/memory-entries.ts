import { assert, type Random, toHex, utf8 } from "../../protocol/base/index.ts";
import {
  compareIndex,
  decodeEntry,
  type Entry,
  type EntryMap,
  type EntryRef,
  type VersionIndex,
} from "../../protocol/bundle/index.ts";
import {
  type AccountContent,
  type ContentView,
  coveringPattern,
  entryType,
  FreshnessRules,
  type Held,
  parsePattern,
  patternMatches,
  readContent,
  viewContent,
} from "../../protocol/content/index.ts";
import { SplitSecret } from "../secret/index.ts";
import type { Store, Transaction, View } from "../store/index.ts";
import { deleteEntryRow, everyRow, loadEntries, putEntryRow, rowIdOf } from "./entry-rows.ts";

const table = "memory-only";
const textDecoder = new TextDecoder("utf-8");

/** A value that only this process holds. */
export interface MemoryValue extends EntryRef {
  readonly path: string;
  readonly accountId: Uint8Array;
  readonly index: VersionIndex;
  readonly current: boolean;
  /** Since-boot milliseconds. */
  readonly takenAtMs: number;
}

interface Kept {
  readonly value: MemoryValue;
  readonly bytes: SplitSecret;
}

/** An entry that is to be held in memory only, by its key. */
export type MemoryWish = ReadonlyMap<string, { readonly entry: Entry; readonly value: Omit<MemoryValue, "takenAtMs"> }>;

interface MemoryOptions {
  /** Path patterns of this node's own configuration. */
  readonly patterns: readonly string[];
  /** True where this node's own work needs the account's values on its disk, so that they stay there. */
  readonly needsDisk: (view: View, account: Held<AccountContent>) => boolean;
  readonly random: Random;
  readonly nowMs: () => number;
}

/**
 * Values that no disk of this node holds: each in two halves in memory, and a row with its path, so that the next process knows what it
 * lacks. They end with the process.
 */
export class MemoryEntries {
  readonly #options: MemoryOptions;
  readonly #patterns: readonly (readonly string[])[];
  readonly #kept = new Map<string, Kept>();
  /** Paths of values that an earlier process held, by entry key. */
  readonly #gone: Map<string, string>;
  readonly #byPath = new Map<string, MemoryValue>();
  #gonePaths: ReadonlySet<string>;
  /** Paths that would be held in memory only if this node's own work did not need them on disk. */
  #onDisk: readonly string[] = [];

  constructor(view: View, options: MemoryOptions) {
    this.#options = options;
    this.#patterns = options.patterns.map((pattern) => parsePattern(coveringPattern(pattern)));
    this.#gone = new Map([...everyRow(view, table)].map(({ id, value }) => [toHex(id), textDecoder.decode(value)]));
    this.#gonePaths = new Set(this.#gone.values());
  }

  /** Entries held here, of one type or of all; copies that the caller wipes. */
  *entries(type: number | null = null): Generator<Entry> {
    for (const { value, bytes } of this.#kept.values()) if (type === null || value.type === type) yield joined(bytes);
  }

  /** One entry, or null. */
  entry(key: string): Entry | null {
    const kept = this.#kept.get(key);
    return kept === undefined ? null : joined(kept.bytes);
  }

  /** The current value of a path; "gone" where an earlier process held it, null where it is not one of these. */
  at(path: string): MemoryValue | "gone" | null {
    return this.#byPath.get(path) ?? (this.#gonePaths.has(path) ? "gone" : null);
  }

  status(): { readonly held: number; readonly gone: number; readonly onDisk: readonly string[] } {
    return { held: this.#kept.size, gone: this.#gone.size, onDisk: this.#onDisk };
  }

  /** True where values are to be kept off the disk by what this node holds or by its own configuration. */
  get active(): boolean {
    return this.#patterns.length > 0 || this.#kept.size > 0 || this.#gone.size > 0;
  }

  /** Which entries of a state may only be held in memory. */
  plan(view: View, entries: EntryMap, after: ContentView): MemoryWish {
    const rules = new FreshnessRules([...after.freshness.values()].map(({ content }) => content));
    const wish = new Map<string, { entry: Entry; value: Omit<MemoryValue, "takenAtMs"> }>();
    const onDisk = new Set<string>();
    if (!rules.anyMemoryOnly && this.#patterns.length === 0) {
      this.#onDisk = [];
      return wish;
    }
    for (const [key, entry] of entries) {
      if (entry.type !== entryType.credential) continue;
      const read = readContent(entry);
      if (!("content" in read) || read.content.kind !== "credential") continue;
      const { accountId, index, role } = read.content;
      const account = after.accounts.get(toHex(accountId));
      if (account === undefined || !this.#covers(account.content.path, rules)) continue;
      const { path } = account.content;
      if (this.#options.needsDisk(view, account)) onDisk.add(path);
      else {
        const { type, id } = entry;
        wish.set(key, { entry, value: { type, id, path, accountId, index, current: role === "current" } });
      }
    }
    this.#onDisk = [...onDisk].sort();
    return wish;
  }

  /** At a start: takes off the disk what the configuration says from now on. Throws STORE_*. */
  open(store: Store): void {
    if (this.#patterns.length === 0) return;
    const wish = store.transaction((tx) => {
      const entries = loadEntries(tx);
      const wanted = this.plan(tx, entries, viewContent(entries.values()));
      this.#takeOff(tx, wanted);
      return wanted;
    });
    this.#keep(wish);
  }

  /** Brings the rows in line with a state: what is in `wish` leaves the disk or never reaches it, what was in memory only and is no more is stored. */
  write(tx: Transaction, entries: EntryMap, wish: MemoryWish): void {
    this.#takeOff(tx, wish);
    for (const key of [...this.#kept.keys(), ...this.#gone.keys()]) {
      if (wish.has(key)) continue;
      tx.delete(table, rowIdOf(key));
      const entry = entries.get(key);
      if (entry !== undefined) putEntryRow(tx, entry);
    }
  }

  /** Takes over what {@link write} kept off the disk, after its commit. */
  take(wish: MemoryWish): void {
    const before = new Map([...this.#kept].map(([key, { value }]) => [key, value]));
    this.close();
    this.#gone.clear();
    this.#gonePaths = new Set();
    this.#keep(wish, before);
  }

  #takeOff(tx: Transaction, wish: MemoryWish): void {
    for (const [key, { entry, value }] of wish) {
      deleteEntryRow(tx, entry);
      if (this.#kept.get(key)?.value.path !== value.path) tx.put(table, rowIdOf(key), utf8(value.path));
    }
  }

  #keep(wish: MemoryWish, before: ReadonlyMap<string, MemoryValue> = new Map()): void {
    for (const [key, { entry, value }] of wish) {
      const known = before.get(key);
      const same = known !== undefined && compareIndex(known.index, value.index) === 0;
      const kept = { ...value, takenAtMs: same ? known.takenAtMs : this.#options.nowMs() };
      this.#kept.set(key, { value: kept, bytes: new SplitSecret(entry.bytes, this.#options.random) });
      if (kept.current) this.#byPath.set(kept.path, kept);
    }
  }

  /** Forgets all values: the process ends. */
  close(): void {
    for (const { bytes } of this.#kept.values()) bytes.wipe();
    this.#kept.clear();
    this.#byPath.clear();
  }

  #covers(path: string, rules: FreshnessRules): boolean {
    if (rules.memoryOnly(path)) return true;
    const segments = path.split("/");
    return this.#patterns.some((pattern) => patternMatches(pattern, segments));
  }
}

function joined(bytes: SplitSecret): Entry {
  const plain = new Uint8Array(bytes.length);
  assert(bytes.copy(plain, 0) === plain.length, "the whole entry");
  const entry = decodeEntry(plain);
  plain.fill(0);
  return entry;
}
