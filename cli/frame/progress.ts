/** A bar on a terminal, nothing elsewhere; for work that takes longer than a second. */
export interface Progress {
  /** Moves the bar to `done` of the total. */
  update(done: number, note?: string): void;
  /** Removes the bar. Idempotent. */
  end(): void;
}

const width = 30;

/** A bar named `label` over `total` steps, written to `stream` where it is a terminal. */
export function createProgress(label: string, total: number, stream: NodeJS.WriteStream): Progress {
  let shown = "";
  let ended = false;
  return {
    update(done, note = "") {
      if (ended || !stream.isTTY) return;
      const filled = total === 0 ? width : Math.min(width, Math.floor((done / total) * width));
      const line = `${label} [${"#".repeat(filled)}${"-".repeat(width - filled)}] ${done}/${total} ${note}`.trimEnd();
      if (line === shown) return;
      shown = line;
      stream.write(`\r\u001b[K${line}`);
    },
    end() {
      if (ended) return;
      ended = true;
      if (shown !== "") stream.write("\r\u001b[K");
    },
  };
}
