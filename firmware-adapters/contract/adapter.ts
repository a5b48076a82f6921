import type { DeviceModel } from "../models/index.ts";
import type { Outcome } from "./outcome.ts";

/** Where a device is and how this one differs from its make. */
export interface DeviceTarget {
  readonly host: string;
  readonly port: number;
  /** The device's settings as the operator gave them; the model's `settings` says which exist and what they default to. */
  readonly settings: Readonly<Record<string, string>>;
}

/** The named secret fields of one credential, e.g. `password`, or `authPassword` and `privPassword`; UTF-8 bytes. */
export type SecretFields = Readonly<Record<string, Uint8Array>>;

/** Another account of the same device, with whose login a change is made. */
export interface DeviceHelper {
  readonly username: string;
  readonly secrets: SecretFields;
}

/** Everything an operation needs; plain data, so that it can cross to the adapter's process. */
export interface DeviceJob {
  readonly target: DeviceTarget;
  readonly username: string;
  /**
   * `current` is what the operation logs in with: the live secret for `prepare` and `push`, the candidate to be proven
   * for `verify`, `save` and `identify`. `next` is what `prepare` and `push` change it to, null elsewhere.
   */
  readonly secrets: { readonly current: SecretFields; readonly next: SecretFields | null };
  /** The account that makes the change, where the model says that the account cannot do so itself. */
  readonly helper?: DeviceHelper | undefined;
  /** True where nobody knows the account's own password: `prepare` proves the helper's login alone. */
  readonly ownUnknown?: boolean | undefined;
  readonly model: DeviceModel;
  /** The identity that this device is known by; another one means NOT_SENT. Null before the first contact. */
  readonly identity: string | null;
  /** How long one exchange with the device may take, milliseconds. */
  readonly timeoutMs: number;
  /**
   * How many logins of unknown success the caller has set aside for this call, at least 1. An adapter that can resolve a
   * lost reply by a second login does so only with 2.
   */
  readonly attempts: number;
}

/** A job of `push`: with the state that `prepare` gave, byte for byte as it was stored. */
export interface PushJob extends DeviceJob {
  readonly state: Uint8Array;
}

/** Speaks one protocol to devices. Every operation opens its own session and leaves none behind. */
export interface Adapter {
  /**
   * Refuses what can be refused before a change, checks the device's identity and fixes every choice of the change;
   * changes nothing. Logs in with `current` where that costs the device nothing.
   */
  prepare(job: DeviceJob): Promise<Outcome>;
  /** Sends the change, once. May be called again with the same state. */
  push(job: PushJob): Promise<Outcome>;
  /** Proves `current` by a login on a fresh session that does real work; changes nothing. */
  verify(job: DeviceJob): Promise<Outcome>;
  /** Has the device keep its change through a restart; may be repeated. */
  save(job: DeviceJob): Promise<Outcome>;
  /** Asks who the device is, logged in where the protocol can prove it. */
  identify(job: DeviceJob): Promise<Outcome>;
}

/** The names of an adapter's operations. */
export type Operation = keyof Adapter;
