interface Waiting {
  readonly at: number;
  readonly order: number;
  fire: (() => void) | null;
}

/** Time that passes only from one event to the next. Events of one moment happen in the order in which they were asked for. */
export class VirtualTime {
  #now: number;
  #order = 0;
  /** A binary heap, the earliest first. */
  readonly #heap: Waiting[] = [];

  constructor(now = 0) {
    this.#now = now;
  }

  /** Milliseconds since the plant was built. */
  get now(): number {
    return this.#now;
  }

  /** Calls `fire` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, fire: () => void): () => void {
    const waiting: Waiting = { at: this.#now + Math.max(0, delayMs), order: this.#order, fire };
    this.#order += 1;
    this.#push(waiting);
    return () => {
      waiting.fire = null;
    };
  }

  /** Fires the next event that lies at `until` or before, and lets every promise settle; false where there is none. */
  async step(until: number): Promise<boolean> {
    for (;;) {
      const [next] = this.#heap;
      if (next === undefined || next.at > until) {
        this.#now = Math.max(this.#now, until);
        return false;
      }
      this.#pop();
      if (next.fire === null) continue;
      this.#now = next.at;
      next.fire();
      await settled();
      return true;
    }
  }

  #push(waiting: Waiting): void {
    const heap = this.#heap;
    let at = heap.push(waiting) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(waiting, heap[parent] as Waiting)) break;
      heap[at] = heap[parent] as Waiting;
      at = parent;
    }
    heap[at] = waiting;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Waiting, heap[child] as Waiting)) child += 1;
      if (!before(heap[child] as Waiting, last)) break;
      heap[at] = heap[child] as Waiting;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Waiting, b: Waiting): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Every promise that waits for no event is settled: microtasks run out before the event loop goes round. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
