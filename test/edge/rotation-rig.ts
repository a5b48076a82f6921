import { openAuditLog, storeStorage } from "../../agent/audit/index.ts";
import { createLog } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Store } from "../../agent/store/index.ts";
import { type Books, type ModelSource, RotationEngine, syncAccounts } from "../../edge/rotation/index.ts";
import { type Lockout, loadBuiltinModels } from "../../firmware-adapters/index.ts";
import { toHex, utf8 } from "../../protocol/base/index.ts";
import { type AuthorityWindow, makeEntry } from "../../protocol/bundle/index.ts";
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
import { MemoryStore } from "../support/memory-store.ts";

import { TestDevice } from "./test-device.ts";
import { TestTime } from "./test-time.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);
export const accountId = id(2);
const numbered = (number: number, kind = 0) => Uint8Array.of(0xee, kind, number >> 8, number & 0xff, ...new Uint8Array(12));
const fingerprintKey = new Uint8Array(32).fill(9);

export interface RigOptions {
  readonly lockout?: Lockout;
  readonly rotate?: RotatePolicy;
  readonly intervalS?: number;
  /** A store on a disk, which then neither fails by order nor reopens; one in memory unless given. */
  readonly store?: Store;
}

/** One edge's engine over a store that survives its death, a device, and a vault made of entries. */
export class RotationRig {
  readonly time = new TestTime();
  device = new TestDevice();
  store = new MemoryStore();
  #running: { engine: RotationEngine; books: Books };
  readonly facts: FactContent[] = [];
  /** What the gateway was to be told, as `state number`; every one, also what says nothing new. */
  readonly notices: string[] = [];
  readonly served: string[] = [];
  failpoint: (name: string) => void = () => {};
  readonly passed: string[] = [];
  /** `index number`, value, role. */
  values: [number: number, value: string, role: CredentialRole][] = [[0, "old", "current"]];
  orders: { id: number; action: OrderAction; window: AuthorityWindow }[] = [];
  spaceLeft = true;
  hi: number | null = 0;
  readonly #options: RigOptions;

  constructor(options: RigOptions = {}) {
    this.#options = options;
    if (options.store !== undefined) this.store = options.store as MemoryStore;
    this.#running = this.#start();
    this.sync();
  }

  get engine(): RotationEngine {
    return this.#running.engine;
  }

  get account() {
    const account = this.engine.accounts.get(toHex(accountId));
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

  /** Where the vault says that the device is. */
  host = "127.0.0.1";

  order(action: OrderAction, forS = 86_400): this {
    this.orders.push({ id: 100 + this.orders.length, action, window: { notBefore: 0, notAfter: this.nowS() + forS } });
    return this.sync();
  }

  sync(): this {
    const { models } = this;
    syncAccounts(this.engine, viewContent(this.#entries()), {
      store: this.store,
      books: this.#running.books,
      models,
      held: false,
    });
    return this;
  }

  readonly models: ModelSource = () => {
    const model = loadBuiltinModels().get("eastron-sdm");
    if (model === undefined) throw new Error("no model");
    return { model: { ...model, lockout: this.#options.lockout ?? "none", settleMs: 5000 }, settings: {} };
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

  #start(): { engine: RotationEngine; books: Books } {
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
    const audit = openAuditLog({
      name: { trustDomain: "test.tidegate", node: "a".repeat(32), serial: 0 },
      keys: { log: key, epoch: key, epochNumber: 0 },
      clock: seams.clock,
      interval: () => [0, null],
      store: this.store,
      storage: storeStorage(0),
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
    const engine = new RotationEngine({
      store: this.store,
      books,
      adapters: { run: (adapter, op, job) => this.device.run(adapter, op, job, this.time) },
      seams,
      log: createLog({ level: "silent", node: "edge" }),
      escrowed: () => true,
      spaceLeft: () => this.spaceLeft,
      onServed: (path) => void this.served.push(path),
    });
    return { engine, books };
  }

  #entries() {
    const salt = new Uint8Array(16);
    const entry = (entryId: Uint8Array, content: Content, authority: AuthorityWindow | null = null) =>
      makeEntry({ id: entryId, index: { epoch: 1, number: 1 }, authority, salt, ...encodeContent(content) });
    const { rotate = "on-demand", intervalS } = this.#options;
    return [
      entry(id(1), {
        kind: "device",
        name: "meter",
        zone: "z",
        model: "eastron-sdm",
        host: this.host,
        port: 502,
        settings: new Map(),
        timeZone: "UTC",
        windows: [],
        held: false,
      }),
      entry(accountId, {
        kind: "account",
        deviceId: id(1),
        path: "z/meter/operator",
        username: "operator",
        rotate,
        intervalS: intervalS ?? null,
        windowless: false,
        fingerprintKey,
        breakGlass: false,
        group: null,
        reconcileBy: null,
        rotateOn: 0,
        consumersReady: true,
      }),
      ...this.values.map(([number, value, role]) => {
        const fields = makeFields([["password", utf8(value)]]);
        return entry(numbered(number), {
          kind: "credential",
          accountId,
          index: { epoch: 1, number },
          role,
          fields,
          fingerprint: fingerprintOf(fingerprintKey, fields),
        });
      }),
      ...this.orders.map((order) =>
        entry(
          numbered(order.id, 1),
          { kind: "order", accountId, action: order.action, cause: "operator", now: false },
          order.window,
        ),
      ),
    ];
  }
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
