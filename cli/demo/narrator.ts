/** Tells the demo: one line a step, with the time it took, and a moving mark while a step is being waited for. */
export interface Narrator {
  /** Runs a step and prints what it returns: what happened and how it was proven. */
  step<T>(title: string, work: () => Promise<{ readonly says: string; readonly value: T }>): Promise<T>;
  /** A line outside of the steps. */
  say(line: string): void;
  /** How many steps were told. */
  readonly steps: number;
}

/** A narrator that can be told that somebody ended the demo. */
interface InterruptibleNarrator extends Narrator {
  /** Tells that the running step, if there is one, was interrupted; what becomes of it afterwards is not told. */
  interrupt(): void;
}

/** Where the demo is told: a terminal, or anything that takes lines. */
export interface NarratorStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const marks = ["|", "/", "-", "\\"] as const;

export function createNarrator(stream: NarratorStream): InterruptibleNarrator {
  let steps = 0;
  let interrupted = false;
  let abandon: (() => void) | null = null;
  return {
    get steps() {
      return steps;
    },
    say: (line) => void stream.write(`${line}\n`),
    interrupt() {
      if (interrupted) return;
      interrupted = true;
      if (abandon === null) stream.write("interrupted\n");
      else abandon();
    },
    async step(title, work) {
      steps += 1;
      const number = String(steps).padStart(2);
      const started = performance.now();
      const stop = stream.isTTY ? spin(stream, `${number}  ${title}`) : () => {};
      const tell = (line: string): void => {
        stop();
        stream.write(`${number}  ${title.padEnd(34)}  ${line}\n`);
      };
      abandon = () => tell("interrupted");
      try {
        const { says, value } = await work();
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        if (!interrupted) tell(`${says}  (${seconds} s)`);
        return value;
      } catch (error) {
        if (!interrupted) tell("FAILED");
        throw error;
      } finally {
        abandon = null;
      }
    },
  };
}

function spin(stream: NarratorStream, text: string): () => void {
  let turn = 0;
  const timer = setInterval(() => {
    stream.write(`\r\u001b[K${text} ${marks[turn % marks.length]}`);
    turn += 1;
  }, 120);
  return () => {
    clearInterval(timer);
    stream.write("\r\u001b[K");
  };
}
