import { connect, createServer, type Socket } from "node:net";

/** Stands between an edge and its gateway and passes everything on, or swallows it: nobody is ever told that nothing arrives. */
export class SwallowingProxy {
  readonly #server = createServer((socket) => this.#take(socket));
  readonly #open = new Set<Socket>();
  #swallows = false;
  #to = { host: "", port: 0 };

  /** Listens on loopback; returns the port. */
  async listen(to: { readonly host: string; readonly port: number }): Promise<number> {
    this.#to = to;
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const address = this.#server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  /** From now on nothing comes through any more, or new connections do again. */
  swallow(swallows: boolean): void {
    this.#swallows = swallows;
    // What was swallowed is lost: a connection from then does not go on.
    if (!swallows) for (const socket of this.#open) socket.destroy();
  }

  close(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }

  #take(socket: Socket): void {
    this.#track(socket);
    if (this.#swallows) {
      socket.resume();
      return;
    }
    const onward = connect(this.#to);
    this.#track(onward);
    this.#pass(socket, onward);
    this.#pass(onward, socket);
  }

  #pass(from: Socket, to: Socket): void {
    from.on("data", (bytes) => {
      if (!this.#swallows) to.write(bytes);
    });
    from.once("close", () => to.destroy());
  }

  #track(socket: Socket): void {
    this.#open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#open.delete(socket));
  }
}
