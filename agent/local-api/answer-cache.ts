import { LRUCache } from "lru-cache";
import type { Random } from "../../protocol/base/index.ts";
import type { CredentialSource } from "./contracts.ts";
import { apiLimits } from "./limits.ts";
import { PreparedAnswer } from "./prepared-answer.ts";

/**
 * Answers made ready at the first read, each secret in two halves: a read puts one together instead of reading the store and opening
 * its seal, and no plaintext waits in memory.
 */
export class AnswerCache {
  readonly #random: Random;
  readonly #source: CredentialSource;
  readonly #answers = new LRUCache<string, PreparedAnswer>({
    max: apiLimits.cachedAnswers,
    dispose: (answer) => answer.wipe(),
  });

  constructor(source: CredentialSource, random: Random) {
    this.#source = source;
    this.#random = random;
  }

  get(path: string): PreparedAnswer | null {
    return this.#answers.get(path) ?? this.#make(path);
  }

  /** Forgets what is kept of one path, or of all: the source changed. */
  forget(path?: string): void {
    if (path === undefined) this.#answers.clear();
    else this.#answers.delete(path);
  }

  /** Ends the cache and wipes what it holds. */
  close(): void {
    this.#answers.clear();
  }

  #make(path: string): PreparedAnswer | null {
    const credential = this.#source.find(path);
    if (credential === null) return null;
    const answer = new PreparedAnswer(path, credential, this.#random);
    this.#answers.set(path, answer);
    return answer;
  }
}
