import type { Store } from "../../agent/store/index.ts";
import type { Account, DeviceSpec } from "./account.ts";
import { decodeIdentity, tables } from "./record.ts";

/** A device's identity as its first proof pinned it; null where its protocol has none. */
interface PinnedIdentity {
  readonly identity: string | null;
}

/** What each step of each account asks about its device, kept ready: which accounts share it, and who it once proved to be. */
export class Devices {
  readonly #store: Store;
  readonly #accounts: ReadonlyMap<string, Account>;
  #sharing: Map<string, Account[]> | null = null;
  /** Pinned once, never changed. */
  readonly #pinned = new Map<string, PinnedIdentity>();

  constructor(store: Store, accounts: ReadonlyMap<string, Account>) {
    this.#store = store;
    this.#accounts = accounts;
  }

  /** Accounts have come, or lie on other devices now. */
  changed(): void {
    this.#sharing = null;
  }

  /** The accounts of the account's device, itself among them; alone where its device is not known. */
  sharing(account: Account): readonly Account[] {
    const { device } = account;
    return (device === null ? undefined : this.#index().get(device.key)) ?? [account];
  }

  /** The other accounts of its device. */
  neighbours(account: Account): readonly Account[] {
    return this.sharing(account).filter((other) => other !== account);
  }

  /** The device's pinned identity; null before its first proof. Throws STORE_DAMAGED. */
  pinned(device: DeviceSpec): PinnedIdentity | null {
    const known = this.#pinned.get(device.key);
    if (known !== undefined) return known;
    const row = this.#store.read((view) => view.get(tables.device, device.id));
    if (row === null) return null;
    const found = { identity: decodeIdentity(row) };
    this.#pinned.set(device.key, found);
    return found;
  }

  #index(): ReadonlyMap<string, readonly Account[]> {
    if (this.#sharing !== null) return this.#sharing;
    this.#sharing = new Map();
    for (const account of this.#accounts.values()) {
      if (account.device === null) continue;
      const list = this.#sharing.get(account.device.key);
      if (list === undefined) this.#sharing.set(account.device.key, [account]);
      else list.push(account);
    }
    return this.#sharing;
  }
}
