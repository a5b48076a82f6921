import { openAuditLog, storeStorage } from "../../agent/audit/index.ts";
import { createLog } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Store } from "../../agent/store/index.ts";
import { type Books, type ModelSource, momentOf, RotationEngine, SiteRules, syncAccounts } from "../../edge/rotation/index.ts";
import { type Lockout, loadModel } from "../../firmware-adapters/index.ts";
import { toHex, utf8 } from "../../protocol/base/index.ts";
import { type AuthorityWindow, type Entry, makeEntry } from "../../protocol/bundle/index.ts";
import {
  type Content,
  type CredentialRole,
  decodeFact,
  encodeContent,
  type FactContent,
  fingerprintOf,
  makeFields,
  type OrderAction,
  type RotatePolicy,
  viewContent,
} from "../../protocol/content/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import type { TimeInterval, WeekWindow } from "../../protocol/time/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { patientMeterText } from "../support/patient-meter.ts";

import { TestDevice } from "./test-device.ts";
import { TestTime } from "./test-time.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);
const meter = loadModel(patientMeterText());
export const accountId = id(2);
export const viewerId = id(3);
const numbered = (number: number, kind = 0) => Uint8Array.of(0xee, kind, number >> 8, number & 0xff, ...new Uint8Array(12));
const fingerprintKey = new Uint8Array(32).fill(9);

export interface RigOptions {
  readonly lockout?: Lockout;
  readonly rotate?: RotatePolicy;
  readonly intervalS?: number;
  readonly requirePermit?: boolean;
  /** A second account `viewer` on the same device, with passwords of its own. */
  readonly viewer?: boolean;
  /** Operator and viewer change together. */
  readonly grouped?: boolean;
  /** `operator` is the break-glass account. */
  readonly breakGlass?: boolean;
  readonly windowless?: boolean;
  /** The accounts come with the first bundle of an edge that has just joined. */
  readonly joined?: boolean;
  /** A store on a disk, which then neither fails by order nor reopens; one in memory unless given. */
  readonly store?: Store;
}

/** One edge's engine over a store that survives its death, a device, and a vault made of entries. */
export class RotationRig {
  readonly time = new TestTime();
  device = new TestDevice();
  store = new MemoryStore();
  #running: { engine: RotationEngine; books: Books; site: SiteRules };
  readonly facts: FactContent[] = [];
  /** What the gateway was to be told, as `state number`; every one, also what says nothing new. */
  readonly notices: string[] = [];
  readonly served: string[] = [];
  failpoint: (name: string) => void = () => {};
  readonly passed: string[] = [];
  /** `index number`, value, role. */
  values: [number: number, value: string, role: CredentialRole][] = [[0, "old", "current"]];
  orders: { id: number; action: OrderAction; window: AuthorityWindow; now: boolean; of: Uint8Array }[] = [];
  /** The vault's hold, and the device's windows in UTC; time begins with a Thursday, 00:16:40. */
  held = false;
  windows: readonly WeekWindow[] = [];
  consumersReady = true;
  /** Sum of rotateOnBit. */
  rotateOn = 0;
  isEscrowed = true;
  /** What the device lets `viewer` do. */
  readonly other = new TestDevice();
  spaceLeft = true;
  hi: number | null = 0;
  readonly #options: RigOptions;

  constructor(options: RigOptions = {}) {
    this.#options = options;
    if (options.store !== undefined) this.store = options.store as MemoryStore;
    this.#running = this.#start();
    this.sync();
  }

  get site(): SiteRules {
    return this.#running.site;
  }

  get engine(): RotationEngine {
    return this.#running.engine;
  }

  get account() {
    return this.accountOf(accountId);
  }

  accountOf(which: Uint8Array) {
    const account = this.engine.accounts.get(toHex(which));
    if (account === undefined) throw new Error("no account");
    return account;
  }

  get phase(): string {
    return this.account.record.state.phase;
  }

  /** Outcomes of the rotation facts so far. */
  get reports(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "rotation" ? [`${fact.outcome} ${fact.index.number}`] : []));
  }

  get orderEnds(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "order-outcome" ? [`${fact.outcome} ${fact.code}`] : []));
  }

  get alarms(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "alarm" ? [fact.code] : []));
  }

  nowS(): number {
    return Math.floor(this.time.sinceBootMs / 1000);
  }

  /** What the machine's own clock may add; null = nothing. */
  probableMs: number | null = null;

  interval(): TimeInterval {
    const loMs = this.nowS() * 1000;
    return { loMs, hiMs: this.hi === null ? null : loMs + this.hi * 1000, probableMs: this.probableMs };
  }

  /** Where the vault says that the device is. */
  host = "127.0.0.1";

  order(action: OrderAction, forS = 86_400, { now = false, of = accountId } = {}): this {
    this.orders.push({ id: 100 + this.orders.length, action, now, of, window: { notBefore: 0, notAfter: this.nowS() + forS } });
    return this.sync();
  }

  sync(): this {
    const { models } = this;
    syncAccounts(this.engine, viewContent(this.#entries()), {
      store: this.store,
      books: this.#running.books,
      models,
      held: false,
      joinedAt: this.#options.joined === true ? momentOf(this.time.clock) : null,
    });
    return this;
  }

  readonly models: ModelSource = () => {
    return { model: { ...meter, lockout: this.#options.lockout ?? "none", settleMs: 5000 }, settings: {} };
  };

  /** Lets `ms` pass, with everything that happens in it. */
  async pass(ms: number): Promise<this> {
    const until = this.time.sinceBootMs + ms;
    do await settle();
    while (this.time.fireNext(until));
    this.time.sinceBootMs = Math.max(this.time.sinceBootMs, until);
    return this;
  }

  /** The process dies and another one starts; what was under way is gone. */
  crash(): this {
    this.time.forget();
    this.store = this.store.reopen();
    this.#running = this.#start();
    return this.sync();
  }

  #start(): { engine: RotationEngine; books: Books; site: SiteRules } {
    const seams: Seams = {
      clock: this.time.clock,
      timers: this.time.timers,
      random: (length) => new Uint8Array(length).fill(7),
      failpoint: (name) => {
        this.passed.push(name);
        this.failpoint(name);
      },
    };
    const key = signingKeyFromSeed(new Uint8Array(32).fill(1));
    const storage = storeStorage(0);
    if (this.store.read((view) => storage.read(view).epochKey()) === null) {
      this.store.transaction((tx) => storage.write(tx).putEpochKey({ number: 0, seed: new Uint8Array(32).fill(1) }));
    }
    const audit = openAuditLog({
      name: { trustDomain: "test.tidegate", node: "a".repeat(32), serial: 0 },
      logKey: key,
      clock: seams.clock,
      random: seams.random,
      interval: () => [0, null],
      store: this.store,
      storage,
      timers: { after: () => () => {} },
      failpoint: () => {},
      node: { version: "0", role: "edge" },
      mirror: null,
      onStopped: () => {},
    });
    const books: Books = {
      audit,
      queueReport: (_tx, facts) => void this.facts.push(...facts.map(decodeFact)),
      notify: (_tx, { state, index }) => void this.notices.push(`${state} ${index.number}`),
      time: () => ({ lo: this.nowS(), hi: this.hi === null ? null : this.nowS() + this.hi }),
      self: "a".repeat(32),
    };
    const { requirePermit = false } = this.#options;
    const site = new SiteRules({ store: this.store, books, clock: seams.clock, requirePermit });
    const engine = new RotationEngine({
      store: this.store,
      books,
      adapters: { run: (adapter, op, job) => this.#deviceOf(job.username).run(adapter, op, job, this.time) },
      seams,
      log: createLog({ level: "silent", node: "edge" }),
      escrowed: () => this.isEscrowed,
      interval: () => this.interval(),
      site,
      spaceLeft: () => this.spaceLeft,
      onServed: (path) => void this.served.push(path),
      onRoom: () => void this.sync(),
    });
    return { engine, books, site };
  }

  #deviceOf(username: string): TestDevice {
    return username === "viewer" ? this.other : this.device;
  }

  #entries(): Entry[] {
    return [
      entryOf(id(1), {
        kind: "device",
        name: "meter",
        zone: "z",
        model: "eastron-sdm",
        host: this.host,
        port: 502,
        settings: new Map(),
        timeZone: "UTC",
        windows: this.windows,
        held: this.held,
      }),
      ...this.#accountEntries("operator", accountId),
      ...(this.#options.viewer === true ? this.#accountEntries("viewer", viewerId) : []),
      ...this.orders.map(({ id: number, action, now, of, window }) =>
        entryOf(numbered(number, 1), { kind: "order", accountId: of, action, cause: "operator", now }, window),
      ),
    ];
  }

  #accountEntries(username: string, account: Uint8Array): Entry[] {
    const { rotate = "on-demand", intervalS = null, breakGlass = false, windowless = false } = this.#options;
    const main = username === "operator";
    return [
      entryOf(account, {
        kind: "account",
        deviceId: id(1),
        path: `z/meter/${username}`,
        username,
        rotate: main ? rotate : "on-demand",
        intervalS: main ? intervalS : null,
        windowless,
        fingerprintKey,
        breakGlass: main && breakGlass,
        group: this.#options.grouped === true ? id(77) : null,
        reconcileBy: null,
        rotateOn: this.rotateOn,
        consumersReady: this.consumersReady,
      }),
      ...this.values.map(([number, value, role]) => {
        const fields = makeFields([["password", utf8(value)]]);
        const index = { epoch: 1, number };
        const fingerprint = fingerprintOf(fingerprintKey, fields);
        const content = { kind: "credential", accountId: account, index, role, fields, fingerprint } as const;
        return entryOf(numbered(number, main ? 0 : 2), content);
      }),
    ];
  }
}

function entryOf(entryId: Uint8Array, content: Content, authority: AuthorityWindow | null = null): Entry {
  return makeEntry({ id: entryId, index: { epoch: 1, number: 1 }, authority, salt: id(0), ...encodeContent(content) });
}

/** Until every promise that can settle has: exchanges of the test device never wait for a timer. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A rig with the vault's first two values in its pool. */
export function ready(options: RigOptions = {}): RotationRig {
  const rig = new RotationRig(options);
  rig.values = [
    [0, "old", "current"],
    [1, "new-1", "pool"],
    [2, "new-2", "pool"],
  ];
  return rig.sync();
}
