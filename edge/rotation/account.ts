import type { DeviceModel } from "../../firmware-adapters/index.ts";
import type { AuthorityWindow } from "../../protocol/bundle/index.ts";
import type { AccountContent, DeviceContent, OrderAction } from "../../protocol/content/index.ts";
import { type LockoutBudget, lockoutBudget, type RotationCode } from "../../protocol/rotation/index.ts";
import type { WeekCalendar } from "../../protocol/time/index.ts";
import type { Due } from "./due.ts";
import type { AccountRecord, ValueName } from "./record.ts";

/** What the vault says about a device, and the model that it is spoken to with. */
export interface DeviceSpec {
  readonly id: Uint8Array;
  /** Hexadecimal id. */
  readonly key: string;
  readonly content: DeviceContent;
  /** Null where the model is not known to this edge, or the settings do not fit it: readable, never rotated. */
  readonly model: DeviceModel | null;
  readonly settings: Readonly<Record<string, string>>;
  /** Its maintenance windows. */
  readonly calendar: WeekCalendar;
}

/** An order of the vault that is not carried out yet. */
export interface OpenOrder {
  readonly id: Uint8Array;
  readonly action: OrderAction;
  readonly window: AuthorityWindow;
  /** Also outside the device's windows. */
  readonly now: boolean;
}

/** One account at work: its durable record, what the vault wants now, and what only this process knows. */
export interface Account {
  readonly id: Uint8Array;
  /** Hexadecimal id. */
  readonly key: string;
  record: AccountRecord;
  /** Null where the vault does not name the account any more: nothing is served or rotated, nothing is forgotten. */
  content: AccountContent | null;
  device: DeviceSpec | null;
  orders: readonly OpenOrder[];
  /** A rotation that an event calls for, or null. */
  due: Due | null;
  /** An exchange is under way. */
  busy: boolean;
  /** Failures in a row; back-off grows with them. */
  failures: number;
  /** Since-boot milliseconds before which nothing is tried. */
  retryAtMs: number;
  /** Since-boot milliseconds before which a refused start is not tried again. */
  startAtMs: number;
  /** Since-boot milliseconds before which no interval begins a rotation. */
  intervalAtMs: number;
  /** What it waits for, or why the last start was refused. */
  waiting: RotationCode | null;
  /** The device's last code. */
  says: string | null;
  /** The machine had no room for a value of the vault: it is offered again once the account rests. */
  owed: boolean;
  /** The device is another one than the pinned. */
  identityChanged: boolean;
  /** The value of which it was told already that it is finished after its window has closed. */
  pastWindow: number | null;
  /** As the account that changes others: the value that the device refused last; null where none. */
  refusedAsHelper: number | null;
  /** Names of its latest values, by ref. */
  readonly valueNames: Map<number, ValueName>;
  cancelTimer: () => void;
}

/** An account as the store has it. */
export function accountOf(id: Uint8Array, key: string, record: AccountRecord): Account {
  return {
    id,
    key,
    record,
    content: null,
    device: null,
    orders: [],
    due: null,
    busy: false,
    failures: 0,
    retryAtMs: 0,
    startAtMs: 0,
    intervalAtMs: 0,
    waiting: null,
    says: record.says,
    owed: false,
    identityChanged: false,
    pastWindow: null,
    refusedAsHelper: null,
    valueNames: new Map(),
    cancelTimer: () => {},
  };
}

/** Path for people, or the id where the vault names the account no more. */
export function nameOf(account: Account): string {
  return account.content?.path ?? account.key;
}

/** The lockout of the account's device as the budget reads it. */
export function lockoutOf(account: Account): LockoutBudget {
  return lockoutBudget(account.device?.model?.lockout ?? "unknown");
}
