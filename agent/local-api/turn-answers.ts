import type { ServerResponse } from "node:http";
import { apiLimits } from "./limits.ts";

interface Answer {
  readonly response: ServerResponse;
  readonly body: Buffer;
}

/**
 * Answers go to their sockets one behind the other, once the requests that came in one turn of the event loop are worked through. Each
 * write wakes its reader where it sleeps, which costs CPU here: readers whose answers come together are awake for the next.
 * One that is alone waits for nothing. Bodies are wiped when they are written, or when their reader is gone.
 */
export class TurnAnswers {
  #waiting: Answer[] = [];

  /** Ends `response`, whose head is made, with `body`, which is not the caller's any more. */
  end(response: ServerResponse, body: Buffer): void {
    const waiting = this.#waiting.push({ response, body });
    if (waiting === 1) setImmediate(() => this.#write());
    else if (waiting >= apiLimits.answersOfATurn) this.#write();
  }

  #write(): void {
    const answers = this.#waiting;
    this.#waiting = [];
    for (const { response, body } of answers) {
      if (response.destroyed) body.fill(0);
      else write(response, body);
    }
  }
}

/** Mostly the kernel has it at once; waiting for the event would cost more than opening the value. */
function write(response: ServerResponse, body: Buffer): void {
  response.end(body);
  if (response.socket?.writableLength === 0) body.fill(0);
  else response.once("close", () => body.fill(0));
}
