import { everyRow } from "../../agent/node/index.ts";
import type { Clock } from "../../agent/seams/index.ts";
import type { Store } from "../../agent/store/index.ts";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { asText, asTuple, asUint, decodeTcbor, encodeTcbor, toHex, utf8 } from "../../protocol/base/index.ts";
import type { DeviceSpec } from "./account.ts";
import type { Books } from "./commit.ts";
import { longestPermitMs } from "./limits.ts";
import { elapsedMs, type Moment, momentOf } from "./moment.ts";

export interface SiteRulesOptions {
  readonly store: Store;
  readonly books: Pick<Books, "audit" | "self">;
  readonly clock: Clock;
  /** Rotations need a running permit. */
  readonly requirePermit: boolean;
}

const tables = { hold: "site-hold", permit: "site-permit" } as const;
const permitRow = utf8("permit");
const maxReasonBytes = 256;

/** What people on the segment decide, with the vault in reach or not: devices that they hold, and a permit that runs for a while. */
export class SiteRules {
  readonly #options: SiteRulesOptions;
  readonly #held: Map<string, string>;
  #permit: { readonly from: Moment; readonly forMs: number } | null;

  constructor(options: SiteRulesOptions) {
    this.#options = options;
    const rows = options.store.read((view) => [...everyRow(view, tables.hold)]);
    this.#held = new Map(rows.map(({ id, value }) => [toHex(id), reasonOf(value)]));
    const permit = options.store.read((view) => view.get(tables.permit, permitRow));
    this.#permit = permit === null ? null : decodePermit(permit);
  }

  get requirePermit(): boolean {
    return this.#options.requirePermit;
  }

  /** Why the device is held here, or null where it is not. */
  heldFor(device: DeviceSpec): string | null {
    return this.#held.get(device.key) ?? null;
  }

  /** Keeps the device from being rotated until {@link release}; holding it again changes nothing. Throws STORE_*. */
  hold(device: DeviceSpec, reason: string): void {
    if (this.#held.has(device.key)) return;
    const { store, books } = this.#options;
    store.transaction((tx) => {
      tx.put(tables.hold, device.id, encodeTcbor([reason]));
      books.audit.appendAll(tx, [this.#event("device.hold", device, reason)]);
    });
    this.#held.set(device.key, reason);
  }

  /** False where it was not held here. Throws STORE_*. */
  release(device: DeviceSpec, reason: string): boolean {
    if (!this.#held.has(device.key)) return false;
    const { store, books } = this.#options;
    store.transaction((tx) => {
      tx.delete(tables.hold, device.id);
      books.audit.appendAll(tx, [this.#event("device.release", device, reason)]);
    });
    this.#held.delete(device.key);
    return true;
  }

  /** Allows rotations for `forMs` from now, by the clock that runs through suspend; 0 ends a permit. Throws STORE_*. */
  permit(forMs: number): void {
    const { store, books, clock } = this.#options;
    const permit = { from: momentOf(clock), forMs: Math.min(forMs, longestPermitMs) };
    store.transaction((tx) => {
      tx.put(tables.permit, permitRow, encodeTcbor([permit.from.bootId, permit.from.sinceBootMs, permit.forMs]));
      books.audit.appendAll(tx, [
        {
          action: "rotation.permit",
          actor: { kind: "operator", id: "local" },
          subject: { kind: "node", id: books.self },
          outcome: "ok",
          details: { forMs: permit.forMs },
        },
      ]);
    });
    this.#permit = permit;
  }

  /** Milliseconds that a permit still runs; it ends with the boot in which it was given. */
  permitLeftMs(): number {
    const { clock } = this.#options;
    if (this.#permit === null || this.#permit.from.bootId !== clock.bootId()) return 0;
    return Math.max(0, this.#permit.forMs - elapsedMs(this.#permit.from, clock));
  }

  /** True where a push may leave as far as a permit is concerned. */
  permitted(): boolean {
    return !this.#options.requirePermit || this.permitLeftMs() > 0;
  }

  #event(action: "device.hold" | "device.release", device: DeviceSpec, reason: string): AuditEvent {
    return {
      action,
      actor: { kind: "operator", id: "local" },
      subject: { kind: "device", id: `${device.content.zone}/${device.content.name}` },
      outcome: "ok",
      details: reason === "" ? {} : { reason },
    };
  }
}

function reasonOf(row: Uint8Array): string {
  const [reason] = asTuple(decodeTcbor(row), "hold", 1);
  return asText(reason, "hold.reason", maxReasonBytes);
}

function decodePermit(row: Uint8Array): { from: Moment; forMs: number } {
  const [bootId, sinceBootMs, forMs] = asTuple(decodeTcbor(row), "permit", 3);
  return {
    from: { bootId: asText(bootId, "permit.bootId", 128), sinceBootMs: asUint(sinceBootMs, "permit.sinceBoot") },
    forMs: asUint(forMs, "permit.forMs"),
  };
}
