import { connect, type Socket } from "node:net";
import modbusSerial from "modbus-serial";

/** How one request ended. */
export type Reply =
  | { readonly kind: "done" }
  | { readonly kind: "registers"; readonly registers: readonly number[] }
  /** The device refused with this exception code. */
  | { readonly kind: "exception"; readonly code: number }
  /** No answer, a closed connection, or an answer that does not belong to the request. */
  | { readonly kind: "lost" };

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly unitId: number;
  /** For connecting, and for each request. */
  readonly timeoutMs: number;
}

/** One Modbus TCP connection with one request at a time; `close` it. */
export class ModbusConnection {
  readonly #socket: Socket;
  readonly #client: InstanceType<typeof modbusSerial.default>;
  readonly #closed: Promise<void>;

  private constructor(socket: Socket, client: InstanceType<typeof modbusSerial.default>) {
    this.#socket = socket;
    this.#client = client;
    this.#closed = new Promise((resolve) => socket.once("close", () => resolve()));
    // A device that ends its side will answer nothing more; without this the request would wait its whole time.
    socket.once("end", () => socket.destroy());
  }

  /** A connection, or null where none came about in time. */
  static async open(options: ConnectionOptions): Promise<ModbusConnection | null> {
    const socket = connect({ host: options.host, port: options.port, noDelay: true });
    const connected = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), options.timeoutMs);
      const settle = (value: boolean) => {
        clearTimeout(timer);
        resolve(value);
      };
      socket.once("connect", () => settle(true));
      socket.once("error", () => settle(false));
    });
    if (!connected) {
      socket.destroy();
      return null;
    }
    // Anything that goes wrong from here on ends in `close`.
    socket.on("error", () => socket.destroy());
    const client = new modbusSerial.default();
    await client.linkTCP(socket, { port: options.port });
    client.setID(options.unitId);
    client.setTimeout(options.timeoutMs);
    client.on("error", () => socket.destroy());
    return new ModbusConnection(socket, client);
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  /** FC03. */
  readRegisters(address: number, count: number): Promise<Reply> {
    return this.#request(async () => {
      const { data } = await this.#client.readHoldingRegisters(address, count);
      return data.length === count ? { kind: "registers", registers: data } : { kind: "lost" };
    });
  }

  /** FC16, or FC06 for one register. The library does not compare what the device says it wrote; this does. */
  writeRegisters(address: number, registers: readonly number[], functionCode: 6 | 16): Promise<Reply> {
    return this.#request(async () => {
      if (functionCode === 6) {
        const written = await this.#client.writeRegister(address, registers[0] ?? 0);
        return written.address === address && written.value === registers[0] ? { kind: "done" } : { kind: "lost" };
      }
      const written = await this.#client.writeRegisters(address, [...registers]);
      return written.address === address && written.length === registers.length ? { kind: "done" } : { kind: "lost" };
    });
  }

  /** FC05. */
  writeCoil(address: number, on: boolean): Promise<Reply> {
    return this.#request(async () => {
      const written = await this.#client.writeCoil(address, on);
      return written.address === address && written.state === on ? { kind: "done" } : { kind: "lost" };
    });
  }

  /** Destroys the socket: the library's own close only ends its half and waits for a device that may never end its. */
  close(): void {
    this.#client.destroy(() => {});
    this.#socket.destroy();
  }

  async #request(send: () => Promise<Reply>): Promise<Reply> {
    if (!this.open) return { kind: "lost" };
    const lost = this.#closed.then((): Reply => ({ kind: "lost" }));
    const reply = await Promise.race([send().catch(replyOfError), lost]);
    // What arrives now would be taken for the answer to the next request.
    if (reply.kind === "lost") this.close();
    return reply;
  }
}

/** The library marks a device's exception with `modbusCode`; every other error means that there was no proper answer. */
function replyOfError(error: unknown): Reply {
  const code: unknown = error instanceof Error ? Reflect.get(error, "modbusCode") : undefined;
  return typeof code === "number" ? { kind: "exception", code } : { kind: "lost" };
}
