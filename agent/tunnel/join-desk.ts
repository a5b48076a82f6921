import { TidegateError } from "../../protocol/base/index.ts";
import type { Timers } from "../seams/index.ts";
import { LinkError } from "./errors.ts";
import { decodeJoinMessage, encodeJoinMessage, type JoinMessage } from "./join-message.ts";
import { joinMs, joinReadMs, joinWaitMs, maxJoins, maxJoinsPerAddress, unknownPeerMs } from "./limits.ts";
import type { Admission, MessageStream } from "./message-stream.ts";
import type { TunnelReporter } from "./tunnel-node.ts";

/** The answer to a join request: a carrier, or the code to refuse with. */
export type JoinAnswer = { readonly carrier: Uint8Array } | { readonly refuse: string };

/** Answers a join request; may take minutes. What it throws is told to the joining node as its code. */
export type JoinHandler = (carrier: Uint8Array, remote: string) => Promise<JoinAnswer>;

export interface JoinDeskOptions {
  /** Null refuses every join. */
  readonly onJoin: JoinHandler | null;
  readonly timers: Timers;
  readonly report: TunnelReporter;
}

/** Serves join connections: one request each, bounded in number and time, told to wait while the answer is not there. */
export class JoinDesk {
  readonly #options: JoinDeskOptions;
  readonly #waiting = new Set<Visit>();

  constructor(options: JoinDeskOptions) {
    this.#options = options;
  }

  /** Takes a new connection. */
  take(stream: MessageStream, admission: Admission): void {
    const host = hostOf(stream.remote);
    const fromThere = [...this.#waiting].filter((visit) => visit.host === host).length;
    const busy = this.#waiting.size >= maxJoins || fromThere >= maxJoinsPerAddress;
    const visit = new Visit({ ...this.#options, stream, host, left: () => this.#waiting.delete(visit) });
    if (this.#options.onJoin === null) return visit.refuse("LINK_JOIN_CLOSED");
    if (busy) return visit.refuse("LINK_JOIN_BUSY");
    this.#waiting.add(visit);
    // Bounded by this desk from here on: a join may wait for minutes.
    admission.admit();
  }

  /** Cuts what waits. */
  close(): void {
    for (const visit of [...this.#waiting]) {
      visit.refuse("LINK_JOIN_CLOSED");
      visit.cut();
    }
  }
}

interface VisitOptions extends JoinDeskOptions {
  readonly stream: MessageStream;
  readonly host: string;
  left(): void;
}

class Visit {
  readonly #options: VisitOptions;
  readonly host: string;
  #state: "reading" | "asking" | "over" = "reading";
  #cancelWait: () => void = () => {};
  #cancelEnd: () => void;

  constructor(options: VisitOptions) {
    this.#options = options;
    this.host = options.host;
    // Who connects and asks nothing must not keep a place from those who do.
    this.#cancelEnd = options.timers.after(unknownPeerMs, () => this.refuse("LINK_JOIN_TIMEOUT"));
    options.stream.start({
      message: (bytes) => this.#receive(bytes),
      drained() {},
      closed: () => this.#leave(),
    });
    this.#keepWaiting();
  }

  /** Ends the visit with a code. Nothing happens where it is over. */
  refuse(code: string): void {
    if (this.#state === "over") return;
    this.#options.report({ name: "join.refused", remote: this.#options.stream.remote, code });
    this.#end({ kind: "refusal", code });
  }

  /** Ends the connection, also while the other side still reads its answer. */
  cut(): void {
    this.#options.stream.close(0);
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === "over") return;
    try {
      const message = decodeJoinMessage(bytes);
      if (this.#state !== "reading" || message.kind !== "request") {
        throw new LinkError("LINK_JOIN_MALFORMED", "one request a connection");
      }
      this.#state = "asking";
      this.#cancelEnd();
      this.#cancelEnd = this.#options.timers.after(joinMs, () => this.refuse("LINK_JOIN_TIMEOUT"));
      void this.#ask(message.carrier);
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.refuse(error.code);
    }
  }

  async #ask(carrier: Uint8Array): Promise<void> {
    const { onJoin, stream, report } = this.#options;
    try {
      const answer = onJoin === null ? { refuse: "LINK_JOIN_CLOSED" } : await onJoin(carrier, stream.remote);
      if (this.#over()) return;
      if ("refuse" in answer) return this.refuse(answer.refuse);
      report({ name: "join.answered", remote: stream.remote });
      this.#end({ kind: "answer", carrier: answer.carrier });
    } catch (error) {
      if (!(error instanceof TidegateError)) throw error;
      this.refuse(error.code);
    }
  }

  #over(): boolean {
    return this.#state === "over";
  }

  #keepWaiting(): void {
    this.#cancelWait = this.#options.timers.after(joinWaitMs, () => {
      this.#options.stream.send(encodeJoinMessage({ kind: "wait" }));
      this.#keepWaiting();
    });
  }

  /** The other side closes once it has read this; a radio may need a while for it. */
  #end(message: JoinMessage): void {
    this.#state = "over";
    this.#cancelWait();
    this.#cancelEnd();
    this.#options.stream.send(encodeJoinMessage(message));
    this.#cancelEnd = this.#options.timers.after(joinReadMs, () => this.cut());
  }

  #leave(): void {
    this.#state = "over";
    this.#cancelWait();
    this.#cancelEnd();
    this.#options.left();
  }
}

/** The address without its port. */
function hostOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(":"));
}
