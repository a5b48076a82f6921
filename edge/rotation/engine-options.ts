import type { Log } from "../../agent/log/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Store } from "../../agent/store/index.ts";
import type { TimeInterval } from "../../protocol/time/index.ts";
import type { Account } from "./account.ts";
import type { Books } from "./commit.ts";
import type { Adapters } from "./device-work.ts";
import type { SiteRules } from "./site-rules.ts";

/** What the engine is built on. */
export interface EngineOptions {
  readonly store: Store;
  /** As {@link readAccounts} read them; the engine's from now on. Read at once where they are not given. */
  readonly accounts?: Map<string, Account>;
  readonly books: Books;
  readonly adapters: Adapters;
  readonly seams: Seams;
  readonly log: Log;
  /** The vault knows every candidate of this edge. */
  escrowed(): boolean;
  /** The time now, with what the machine's own clock may add. */
  interval(): TimeInterval;
  /** What people on the segment decided. */
  readonly site: SiteRules;
  /** Room on the disk for whole rotations. */
  spaceLeft(): boolean;
  /** The served value of a path, or whether it is about to change, is another one now. */
  onServed(path: string): void;
  /** An account has room now for values of the vault that it had to refuse: bring it in line again. */
  onRoom(): void;
}
