/** A clock and timers that move only when the test says so. */
export class TestTime {
  sinceBootMs = 1_000_000;
  boot = "boot-1";
  readonly #timers = new Map<number, { at: number; fire: () => void }>();
  #next = 0;

  readonly clock = {
    wallMs: () => this.sinceBootMs,
    sinceBootMs: () => this.sinceBootMs,
    bootId: () => this.boot,
  };

  readonly timers = {
    after: (delayMs: number, fire: () => void) => {
      const id = this.#next++;
      this.#timers.set(id, { at: this.sinceBootMs + delayMs, fire });
      return () => void this.#timers.delete(id);
    },
  };

  /** Fires what is due by `until`, earliest first, one; false where nothing is. */
  fireNext(until: number): boolean {
    const due = [...this.#timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at || a[0] - b[0])[0];
    if (due === undefined) return false;
    this.#timers.delete(due[0]);
    this.sinceBootMs = Math.max(this.sinceBootMs, due[1].at);
    due[1].fire();
    return true;
  }

  /** A process died: nobody fires its timers. */
  forget(): void {
    this.#timers.clear();
  }
}
