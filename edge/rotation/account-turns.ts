import type { Log } from "../../agent/log/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { Account } from "./account.ts";
import { mostAtOnce } from "./lanes.ts";
import { accountsInATurn } from "./limits.ts";
import type { SharedCommits } from "./shared-commits.ts";

/**
 * Gives accounts their turn part by part: where a bundle brings orders for a thousand, the first devices are under way while the
 * others' accounts are still looked at, and answers and readers come in between.
 */
export class AccountTurns {
  readonly #commits: SharedCommits;
  readonly #look: (account: Account) => void;
  readonly #log: Log;
  readonly #waiting = new Set<Account>();
  #going = false;

  constructor(commits: SharedCommits, log: Log, look: (account: Account) => void) {
    this.#commits = commits;
    this.#log = log;
    this.#look = look;
  }

  /** As many of `accounts` as can be under way at once, those with orders first; the others follow by themselves. */
  first(accounts: Iterable<Account>): readonly Account[] {
    const all = [...accounts];
    const inOrder = [...all.filter(({ orders }) => orders.length > 0), ...all.filter(({ orders }) => orders.length === 0)];
    const now = inOrder.slice(0, mostAtOnce);
    for (const account of now) this.#waiting.delete(account);
    for (const account of inOrder.slice(mostAtOnce)) this.#waiting.add(account);
    this.#go();
    return now;
  }

  /** Nobody gets a turn any more. */
  close(): void {
    this.#waiting.clear();
  }

  #go(): void {
    if (this.#going || this.#waiting.size === 0) return;
    this.#going = true;
    const part = () => {
      let left = accountsInATurn;
      for (const account of this.#waiting) {
        if (left === 0) break;
        left -= 1;
        this.#waiting.delete(account);
        this.#look(account);
      }
    };
    const done = () => {
      this.#going = false;
      this.#go();
    };
    this.#commits.add(part).then(done, (error: unknown) => {
      // The writer has stopped: nothing more may be begun.
      this.#waiting.clear();
      done();
      if (!(error instanceof TidegateError)) throw error;
      this.#log.error("rotation.stopped", { error });
    });
  }
}
