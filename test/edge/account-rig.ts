import { createLog } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import {
  type Account,
  type Adapters,
  type ModelSource,
  RotationEngine,
  SiteRules,
  syncAccounts,
} from "../../edge/rotation/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { type AuthorityWindow, type Entry, makeEntry } from "../../protocol/bundle/index.ts";
import {
  type AccountContent,
  type Content,
  type DeviceContent,
  decodeFact,
  encodeContent,
  type FactContent,
  type OrderAction,
  viewContent,
} from "../../protocol/content/index.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { accountContent, credentialContent } from "../support/paper-content.ts";

const id = (byte: number) => new Uint8Array(16).fill(byte);

/** One account, its device, and its values: the current one, then the pool. */
export interface RigAccount {
  readonly username: string;
  readonly device?: string;
  readonly values: readonly string[];
  readonly content?: Partial<AccountContent>;
}

export interface AccountRigOptions {
  readonly seams: Seams;
  readonly adapters: Adapters;
  readonly models: ModelSource;
  readonly accounts: readonly RigAccount[];
  readonly device?: Partial<DeviceContent>;
  /** The secret fields of a value; one password unless given. */
  readonly fieldsOf?: (value: string) => readonly (readonly [name: string, text: string])[];
}

/** The real engine over a store in memory with any number of accounts and devices, whose clock and devices the test brings. */
export class AccountRig {
  store = new MemoryStore();
  engine: RotationEngine;
  readonly facts: FactContent[] = [];
  accounts: readonly RigAccount[];
  /** Orders of the vault, by the account's name; their authority ends in a hundred years. */
  orders: readonly { readonly of: string; readonly action: OrderAction; readonly now?: boolean }[] = [];
  readonly #options: AccountRigOptions;
  #waiting: { done: () => boolean; resolve: () => void }[] = [];
  /** What was appended to the log. */
  readonly leaves: AuditEvent[] = [];
  #leaf = 0;

  constructor(options: AccountRigOptions) {
    this.#options = options;
    this.accounts = options.accounts;
    this.engine = this.#start();
    this.sync();
  }

  account(username: string): Account {
    const account = this.engine.accounts.get(toHex(this.accountId(username)));
    if (account === undefined) throw new Error(`no account ${username}`);
    return account;
  }

  accountId(username: string): Uint8Array {
    return id(100 + this.accounts.findIndex((each) => each.username === username));
  }

  phase(username: string): string {
    return this.account(username).record.state.phase;
  }

  /** Outcomes of the rotation facts so far, as `username outcome number`. */
  get reports(): string[] {
    return this.facts.flatMap((fact) => {
      if (fact.kind !== "rotation") return [];
      const of = this.accounts.find(({ username }) => toHex(this.accountId(username)) === toHex(fact.accountId));
      return [`${of?.username} ${fact.outcome} ${fact.index.number}`];
    });
  }

  get orderEnds(): string[] {
    return this.facts.flatMap((fact) => (fact.kind === "order-outcome" ? [`${fact.outcome} ${fact.code}`] : []));
  }

  /** Resolves once `done` holds; looked at after each exchange and each change. */
  until(done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ done, resolve }));
  }

  /** The process dies and another one begins. */
  async restart(): Promise<void> {
    await this.engine.close();
    this.store = this.store.reopen();
    this.engine = this.#start();
    this.sync();
  }

  sync(): void {
    const view = viewContent(this.#entries());
    const { store } = this;
    syncAccounts(this.engine, view, { store, books: this.#books(), models: this.#options.models, held: false });
  }

  #books() {
    return {
      audit: {
        appendAll: (_tx: unknown, events: readonly AuditEvent[]) => {
          this.leaves.push(...events);
          const first = { serial: 1, index: this.#leaf };
          this.#leaf += events.length;
          return first;
        },
      },
      queueReport: (_tx: unknown, facts: readonly Parameters<typeof decodeFact>[0][]) =>
        void this.facts.push(...facts.map(decodeFact)),
      notify: () => {},
      time: () => ({ lo: this.#nowS(), hi: this.#nowS() + 1 }),
      self: "a".repeat(32),
    };
  }

  #nowS(): number {
    return Math.floor(this.#options.seams.clock.wallMs() / 1000);
  }

  #start(): RotationEngine {
    const { seams, adapters } = this.#options;
    const { store } = this;
    const books = this.#books();
    return new RotationEngine({
      store,
      books,
      adapters: {
        run: async (...job: Parameters<Adapters["run"]>) => {
          const outcome = await adapters.run(...job);
          setImmediate(() => this.#look());
          return outcome;
        },
      } as Adapters,
      seams,
      log: createLog({ level: "silent", node: "edge" }),
      escrowed: () => true,
      interval: () => ({ loMs: this.#nowS() * 1000, hiMs: this.#nowS() * 1000 + 1000, probableMs: null }),
      site: new SiteRules({ store, books, clock: seams.clock, requirePermit: false }),
      spaceLeft: () => true,
      onServed: () => setImmediate(() => this.#look()),
      onRoom: () => {},
    });
  }

  #look(): void {
    const ready = this.#waiting.filter(({ done }) => done());
    this.#waiting = this.#waiting.filter((each) => !ready.includes(each));
    for (const { resolve } of ready) resolve();
  }

  #entries(): Entry[] {
    const names = [...new Set(this.accounts.map(({ device = "host" }) => device))];
    const devices = names.map((name, place) =>
      entryOf(id(1 + place), {
        kind: "device",
        name,
        zone: "z",
        model: "test-model",
        host: "127.0.0.1",
        port: 22,
        settings: new Map(),
        timeZone: "UTC",
        windows: [],
        held: false,
        ...this.#options.device,
      }),
    );
    const orders = this.orders.map(({ of, action, now = false }, place) =>
      entryOf(
        id(200 + place),
        { kind: "order", accountId: this.accountId(of), action, cause: "operator", now },
        { notBefore: 0, notAfter: 4_000_000_000 },
      ),
    );
    return [
      ...devices,
      ...orders,
      ...this.accounts.flatMap((each) => this.#accountEntries(each, names.indexOf(each.device ?? "host"))),
    ];
  }

  #accountEntries({ username, device = "host", values, content }: RigAccount, place: number): Entry[] {
    const accountId = this.accountId(username);
    return [
      entryOf(accountId, accountContent(id(1 + place), `z/${device}/${username}`, { username, windowless: true, ...content })),
      ...values.map((value, number) => {
        const named = this.#options.fieldsOf?.(value) ?? value;
        const entryId = Uint8Array.of(...accountId.subarray(0, 14), 7, number);
        return entryOf(entryId, credentialContent(accountId, [number, named, number === 0 ? "current" : "pool"]));
      }),
    ];
  }
}

function entryOf(entryId: Uint8Array, content: Content, authority: AuthorityWindow | null = null): Entry {
  return makeEntry({ id: entryId, index: { epoch: 1, number: 1 }, authority, salt: id(0), ...encodeContent(content) });
}
