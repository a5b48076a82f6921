import { join } from "node:path";
import { type AuditLogOptions, AuditMirror, openAuditLog, storeSource, storeStorage } from "../../../agent/audit/index.ts";
import type { Timers } from "../../../agent/seams/index.ts";
import type { Store, Transaction } from "../../../agent/store/index.ts";
import type { AuditEvent } from "../../../protocol/audit/index.ts";
import { nodeIdText } from "../../../protocol/keys/index.ts";
import { signRoot } from "../../../protocol/trust/index.ts";
import { sampleMember, sampleRoot, sampleSigner, signedMember } from "../../protocol/sample-vault.ts";

/** Time that only moves when told, and the timers that wait for it. */
export class ManualTime {
  nowMs = 5_000;
  #waiting: { readonly atMs: number; readonly fire: () => void }[] = [];

  readonly clock = { wallMs: () => 86_400_000 + this.nowMs, sinceBootMs: () => this.nowMs, bootId: () => "boot-1" };

  readonly timers: Timers = {
    after: (delayMs, fire) => {
      const entry = { atMs: this.nowMs + delayMs, fire };
      this.#waiting.push(entry);
      return () => {
        this.#waiting = this.#waiting.filter((one) => one !== entry);
      };
    },
  };

  pass(ms: number): void {
    const end = this.nowMs + ms;
    for (;;) {
      const next = this.#waiting.filter((one) => one.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.nowMs = next.atMs;
      next.fire();
    }
    this.nowMs = end;
  }
}

export const member = sampleMember();
export const node = nodeIdText(member.nodeId);
export const statements = { member: signedMember(), roots: [signRoot(sampleRoot(), [sampleSigner(1)])] };

export interface RigOptions extends Partial<AuditLogOptions> {
  readonly store: Store;
  readonly time?: ManualTime;
  /** A data folder to mirror into. */
  readonly folder?: string;
}

/** A log of the sample vault's edge, and what it told. */
export function openRig({ store, time = new ManualTime(), folder, ...changes }: RigOptions) {
  const storage = storeStorage(0);
  let drawn = 0;
  const random = (length: number) => new Uint8Array(length).fill(100 + (drawn++ % 100));
  const failures: unknown[] = [];
  const stops: string[] = [];
  const source = storeSource(store, storage, () => statements);
  const mirror =
    folder === undefined
      ? null
      : new AuditMirror({ folder: join(folder, "audit", "0"), source, onFailed: (cause) => failures.push(cause) });
  if (store.read((view) => storage.read(view).epochKey()) === null) {
    store.transaction((tx) => storage.write(tx).putEpochKey({ number: 0, seed: new Uint8Array(32).fill(34) }));
  }
  const log = openAuditLog({
    name: { trustDomain: "plant.example", node, serial: 0 },
    logKey: sampleSigner(33),
    clock: time.clock,
    random,
    interval: () => [1_700_000_000_000 + time.nowMs, null],
    store,
    storage,
    timers: time.timers,
    failpoint: () => {},
    node: { version: "0.1.0", role: "edge" },
    mirror,
    onStopped: (code) => stops.push(code),
    ...changes,
  });
  return { log, time, mirror, failures, stops };
}

const self = { kind: "node", id: node } as const;

/** An event of a rotation, numbered. */
export function rotated(number: number): AuditEvent {
  const subject = { kind: "account", id: "line-4/plc-1/admin" } as const;
  return { action: "rotation.verified", actor: self, subject, outcome: "ok", details: { epoch: 1, number } };
}

/** A read of an account by an application. */
export function read(account: string, application = "hmi") {
  const actor = { kind: "application", id: application } as const;
  return {
    action: "credential.read",
    actor,
    subject: { kind: "account", id: account },
    outcome: "ok",
    details: { version: "1.1" },
  } as const;
}

/** Appends `count` events in one transaction. */
export function fill(store: Store, log: { appendAll(tx: Transaction, events: AuditEvent[]): unknown }, count: number): void {
  store.transaction((tx) =>
    log.appendAll(
      tx,
      Array.from({ length: count }, (_, number) => rotated(number)),
    ),
  );
}
