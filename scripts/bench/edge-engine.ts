import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAuditLog, storeStorage } from "../../agent/audit/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { openStore } from "../../agent/store/index.ts";
import { type Books, RotationEngine, SiteRules, syncAccounts } from "../../edge/rotation/index.ts";
import { type DeviceJob, loadModel, type Operation, type Outcome, ok, rejectedAuth } from "../../firmware-adapters/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { type Entry, makeEntry } from "../../protocol/bundle/index.ts";
import {
  type Content,
  type CredentialRole,
  decodeFact,
  encodeContent,
  fingerprintOf,
  makeFields,
  viewContent,
} from "../../protocol/content/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { patientMeterText } from "../../test/support/patient-meter.ts";

const seams = machineSeams();
const salt = new Uint8Array(16);
const fingerprintKey = new Uint8Array(32).fill(9);

/** The 16-byte id number `n` of its kind. */
function idOf(kind: number, n: number): Uint8Array {
  return Uint8Array.of(kind, n >>> 24, n >>> 16, n >>> 8, n, ...new Uint8Array(11));
}

function entryOf(id: Uint8Array, content: Content, window: { notBefore: number; notAfter: number } | null = null): Entry {
  return makeEntry({ id, index: { epoch: 1, number: 1 }, authority: window, salt, ...encodeContent(content) });
}

/**
 * An edge's real rotation engine over a real store and audit log on a disk, with `count` devices that answer each exchange after `exchangeMs`
 * and know only their password: what is measured is the engine.
 */
export class EdgeEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), "tidegate-bench-engine-"));
  readonly #key = new Secret(new Uint8Array(randomBytes(32)));
  readonly #store = openStore({
    path: join(this.#folder, "node.db"),
    markPath: join(this.#folder, "mark"),
    key: this.#key,
    random: seams.random,
    failpoint: () => {},
  });
  readonly #live = new Map<string, string>();
  readonly #model = loadModel(patientMeterText());
  readonly #books: Books;
  readonly #engine: RotationEngine;
  readonly #count: number;
  #round = 0;
  #ended = 0;
  #failed = 0;
  #waiting: (() => void) | null = null;
  /** Exchanges with devices so far. */
  exchanges = 0;
  /** Transactions so far, and how long they took, the sync included, ms: on a slow disk they are what the engine waits for. */
  syncs = 0;
  syncMs = 0;

  constructor(count: number, exchangeMs: number) {
    this.#count = count;
    const { transaction } = this.#store;
    this.#store.transaction = (work) => {
      const started = performance.now();
      try {
        return transaction.call(this.#store, work) as ReturnType<typeof work>;
      } finally {
        this.syncs += 1;
        this.syncMs += performance.now() - started;
      }
    };
    const key = signingKeyFromSeed(new Uint8Array(32).fill(1));
    const nowS = () => Math.floor(seams.clock.wallMs() / 1000);
    const interval = () => ({ loMs: nowS() * 1000, hiMs: nowS() * 1000 + 999, probableMs: null });
    const storage = storeStorage(0);
    this.#store.transaction((tx) => storage.write(tx).putEpochKey({ number: 0, seed: new Uint8Array(32).fill(1) }));
    const audit = openAuditLog({
      name: { trustDomain: "bench.tidegate", node: "a".repeat(32), serial: 0 },
      logKey: key,
      clock: seams.clock,
      random: seams.random,
      interval: () => [interval().loMs, interval().hiMs],
      store: this.#store,
      storage,
      timers: { after: () => () => {} },
      failpoint: () => {},
      node: { version: "0", role: "edge" },
      mirror: null,
      onStopped: () => {},
    });
    this.#books = {
      audit,
      queueReport: (_tx, facts) => {
        for (const fact of facts) {
          const told = decodeFact(fact);
          if (told.kind === "order-outcome") this.#orderEnded(told.outcome);
        }
      },
      notify: () => {},
      time: () => ({ lo: nowS(), hi: nowS() + 1 }),
      self: "a".repeat(32),
    };
    this.#engine = new RotationEngine({
      store: this.#store,
      books: this.#books,
      adapters: {
        run: async (_adapter, operation, job) => {
          this.exchanges += 1;
          await new Promise((resolve) => setTimeout(resolve, exchangeMs));
          return this.#answer(operation, job);
        },
      },
      seams,
      log: createLog({ level: "silent", node: "edge" }),
      escrowed: () => true,
      interval,
      site: new SiteRules({ store: this.#store, books: this.#books, clock: seams.clock, requirePermit: false }),
      spaceLeft: () => true,
      onServed: () => {},
      onRoom: () => {},
    });
    this.#sync(this.#wanted());
  }

  /** What the vault makes, signs and sends for one rotation of every device: nothing that the edge's engine works at. */
  makeRound(): readonly Entry[] {
    this.#round += 1;
    const now = Math.floor(seams.clock.wallMs() / 1000);
    const window = { notBefore: now - 10, notAfter: now + 3600 };
    const orders = Array.from({ length: this.#count }, (_, n) =>
      entryOf(
        idOf(4 + this.#round, n),
        { kind: "order", accountId: idOf(2, n), action: "rotate", cause: "fleet", now: false },
        window,
      ),
    );
    return [...orders, ...this.#wanted()];
  }

  /** Rotates every device once, as {@link makeRound} ordered last. Throws where one is not rotated. */
  async rotateAll(round: readonly Entry[]): Promise<void> {
    this.#ended = 0;
    this.#failed = 0;
    const all = new Promise<void>((resolve) => {
      this.#waiting = resolve;
    });
    this.#sync(round);
    await all;
    if (this.#failed > 0) throw new Error(`${this.#failed} of ${this.#count} devices were not rotated`);
  }

  async close(): Promise<void> {
    await this.#engine.close();
    this.#store.close();
    this.#key.wipe();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #orderEnded(outcome: string): void {
    if (outcome !== "done") this.#failed += 1;
    this.#ended += 1;
    if (this.#ended === this.#count) this.#waiting?.();
  }

  #answer(operation: Operation, job: DeviceJob): Outcome {
    const text = (fields: Readonly<Record<string, Uint8Array>> | null) => Buffer.from(fields?.["password"] ?? []).toString();
    const live = this.#live.get(job.target.host) ?? wordOf(0);
    if (text(job.secrets.current) !== live) return rejectedAuth("DEVICE_SECRET_REFUSED", "");
    if (operation === "prepare") return ok({ state: utf8("request"), identity: job.target.host });
    if (operation === "push") this.#live.set(job.target.host, text(job.secrets.next));
    return ok({ identity: job.target.host });
  }

  #sync(entries: readonly Entry[]): void {
    const models = () => ({ model: this.#model, settings: {} });
    syncAccounts(this.#engine, viewContent(entries), { store: this.#store, books: this.#books, models, held: false });
  }

  /** What the vault wants besides orders: the devices, and of each account the value in use and the two that come next. */
  #wanted(): Entry[] {
    const current = Math.max(0, this.#round - 1);
    const entries: Entry[] = [];
    for (let n = 0; n < this.#count; n += 1) {
      entries.push(
        entryOf(idOf(1, n), {
          kind: "device",
          name: `meter-${n}`,
          zone: "z",
          model: this.#model.name,
          host: `meter-${n}`,
          port: 502,
          settings: new Map(),
          timeZone: "UTC",
          windows: [],
          held: false,
        }),
        entryOf(idOf(2, n), {
          kind: "account",
          deviceId: idOf(1, n),
          path: `z/meter-${n}/setup`,
          username: "setup",
          rotate: "on-demand",
          intervalS: null,
          windowless: true,
          fingerprintKey,
          breakGlass: false,
          group: null,
          reconcileBy: null,
          rotateOn: 0,
          consumersReady: true,
        }),
        ...[0, 1, 2].map((ahead) => this.#valueEntry(n, current + ahead, ahead === 0 ? "current" : "pool")),
      );
    }
    return entries;
  }

  #valueEntry(n: number, number: number, role: CredentialRole): Entry {
    const fields = makeFields([["password", utf8(wordOf(number))]]);
    const fingerprint = fingerprintOf(fingerprintKey, fields);
    const content = {
      kind: "credential",
      accountId: idOf(2, n),
      index: { epoch: 1, number },
      role,
      fields,
      fingerprint,
    } as const;
    return entryOf(Uint8Array.of(3, n >>> 8, n, number >>> 8, number, ...new Uint8Array(11)), content);
  }
}

function wordOf(number: number): string {
  return `word-${number}`;
}
