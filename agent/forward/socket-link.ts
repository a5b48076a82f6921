import type { Socket } from "node:net";
import type { Timers } from "../seams/index.ts";
import type { CollectorLink } from "./contracts.ts";
import { ForwardError } from "./errors.ts";
import { acknowledgeMs } from "./limits.ts";
import { type Connection, progressOf } from "./tcp-state.ts";

/** What a connection to a collector says about its own end. */
const cutHint = "The collector, or something on the way, ended the connection; what it may not have read is sent again.";

/** A connection to a collector, which only ever reads; what it says is thrown away. */
export class SocketLink implements CollectorLink {
  readonly #socket: Socket;
  readonly #timers: Timers;
  /** Rejects when the connection ends in any way but that of {@link finish}. */
  readonly #cut: Promise<never>;
  #finished = false;

  /** `socket` is connected, half-open sockets allowed; from now on it is this link's. */
  constructor(socket: Socket, timers: Timers) {
    this.#socket = socket;
    this.#timers = timers;
    this.#cut = new Promise((_, reject) => {
      const fail = (cause?: unknown) =>
        reject(new ForwardError("FORWARD_CUT", "the connection ended early", { cause, hint: cutHint }));
      socket.on("error", fail).once("close", () => fail());
      // Its end before ours: it may have gone without reading what is under way.
      socket.once("end", () => {
        if (!this.#finished) fail();
      });
    });
    this.#cut.catch(() => {});
    socket.resume();
  }

  async write(bytes: Uint8Array): Promise<void> {
    await Promise.race([this.#cut, new Promise<void>((resolve) => this.#socket.write(bytes, () => resolve()))]);
  }

  /**
   * Ends our side once the other machine has everything. A collector that has read it then ends its own; one that goes with unread bytes
   * resets the connection, and one that went before took nothing of what was under way.
   */
  async finish(): Promise<void> {
    const socket = this.#socket;
    const { localPort, remoteAddress, remotePort } = socket;
    if (localPort !== undefined && remoteAddress !== undefined && remotePort !== undefined) {
      await Promise.race([this.#cut, this.#taken({ localPort, remoteAddress, remotePort })]);
    }
    const ended = new Promise<void>((resolve) => socket.once("end", resolve));
    await Promise.race([this.#cut, Promise.resolve()]);
    this.#finished = true;
    socket.end();
    await Promise.race([this.#cut, ended]);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #taken(connection: Connection): Promise<void> {
    while (!this.#socket.destroyed) {
      const progress = await progressOf(connection);
      if (progress === "taken") return;
      if (progress === "over") throw new ForwardError("FORWARD_CUT", "the collector ended the connection", { hint: cutHint });
      await new Promise<void>((resolve) => this.#timers.after(acknowledgeMs, resolve));
    }
  }
}
