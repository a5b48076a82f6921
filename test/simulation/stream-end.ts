import type { MessageStream, StreamReceiver } from "../../agent/tunnel/index.ts";
import type { DirectBinding } from "../../protocol/tunnel/index.ts";

/** A process that has sockets. */
export interface Host {
  readonly name: string;
  readonly alive: boolean;
  /** Called once when it dies. */
  onDeath(listener: (gone: "at once" | "in silence") => void): void;
}

/** What travels: a message, or the end of the connection with the reason that the other end gave. */
export type Parcel = { readonly message: Uint8Array } | { readonly end: number | null };

/** What carries parcels from this end to the other. */
interface Carrier {
  post(from: End, parcel: Parcel): void;
  /** This end is over. */
  over(): void;
}

interface EndOptions {
  readonly host: Host;
  readonly remote: string;
  readonly binding: DirectBinding;
  readonly connection: Carrier;
}

/** One end of a connection. */
export class End implements MessageStream {
  readonly host: Host;
  readonly remote: string;
  readonly binding: DirectBinding;
  readonly queuedBytes = 0;
  readonly #connection: Carrier;
  #receiver: StreamReceiver | null = null;
  /** Arrived, or held up by a blocked way. */
  #inbox: Parcel[] = [];
  finished = false;
  /** The last parcel's time: none overtakes another. */
  arriveAt = 0;
  swapNext = false;

  constructor({ host, remote, binding, connection }: EndOptions) {
    this.host = host;
    this.remote = remote;
    this.binding = binding;
    this.#connection = connection;
  }

  start(receiver: StreamReceiver): void {
    this.#receiver = receiver;
    queueMicrotask(() => this.pump());
  }

  send(message: Uint8Array): void {
    if (this.finished || !this.host.alive) return;
    this.#connection.post(this, { message: message.slice() });
    queueMicrotask(() => this.#receiver?.drained());
  }

  close(reason: number): void {
    if (this.finished || !this.host.alive) return;
    this.#connection.post(this, { end: reason });
    this.finish(null);
  }

  enqueue(parcel: Parcel, open: boolean): void {
    if (this.finished) return;
    const last = this.#inbox.at(-1);
    this.#inbox.push(parcel);
    if (this.swapNext && "message" in parcel) {
      // Held back until the next one has overtaken it.
      if (last === undefined || !("message" in last)) return;
      this.swapNext = false;
      this.#inbox.splice(-2, 2, parcel, last);
    }
    if (open) this.pump();
  }

  pump(): void {
    if (this.#receiver === null || !this.host.alive) return;
    for (const parcel of this.#inbox.splice(0)) {
      if (this.finished) return;
      if ("message" in parcel) this.#receiver.message(parcel.message);
      else this.finish(parcel.end);
    }
  }

  finish(reason: number | null): void {
    if (this.finished) return;
    this.finished = true;
    this.#connection.over();
    if (this.host.alive) queueMicrotask(() => this.#receiver?.closed(reason));
  }

  /** Its process is gone. */
  abandon(): void {
    this.finished = true;
  }
}
