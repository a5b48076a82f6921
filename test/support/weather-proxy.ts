import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, TLSSocket } from "node:tls";
import { type Address, parseAddress } from "../../agent/address/index.ts";
import { serverTlsOptions } from "../../agent/tls/index.ts";
import type { SampleTls } from "./tunnel-certificates.ts";

/** How a {@link WeatherProxy} behaves; without anything it is a good HTTP proxy. */
export interface Weather {
  /** Relays to this address without being asked: a wire, or an inspector that nobody sees. */
  readonly to?: Address;
  /** `user:password` that CONNECT must bring. */
  readonly login?: string;
  /** Answers CONNECT with these bytes, then ends (true) or falls silent. */
  readonly answer?: { readonly bytes: string; readonly ends: boolean };
  /** Ends TLS with this certificate and dials on without one. */
  readonly inspector?: SampleTls;
  /** The inspector speaks TLS 1.2 at most. */
  readonly old?: boolean;
  /** The inspector takes the header Upgrade out. */
  readonly strips?: boolean;
}

/** A longer header than any proxy of ours may send ends the exchange here too. */
const maxRequestBytes = 8_192;

/** A proxy on 127.0.0.1 that misbehaves as told. */
export class WeatherProxy {
  /** Where CONNECT asked to go. */
  readonly asked: string[] = [];
  /** True: nothing passes any more on the connections that stand, and nobody is told. New ones pass. */
  #deaf = new WeakSet<Socket>();
  /** Bytes that still pass from near to far; what is beyond cuts both ends in the middle. */
  budget = Number.POSITIVE_INFINITY;
  readonly #weather: Weather;
  readonly #server: Server;
  readonly #open = new Set<Duplex>();
  readonly #near = new Set<Socket>();

  private constructor(weather: Weather) {
    this.#weather = weather;
    this.#server = createServer((near) => {
      this.#keep(near);
      this.#near.add(near);
      near.once("close", () => this.#near.delete(near));
      if (weather.to === undefined) this.#connect(near);
      else this.#relay(near, near, weather.to);
    });
  }

  static async start(weather: Weather = {}): Promise<WeatherProxy> {
    const proxy = new WeatherProxy(weather);
    await once(proxy.#server.listen(0, "127.0.0.1"), "listening");
    return proxy;
  }

  get address(): Address {
    return { host: "127.0.0.1", port: (this.#server.address() as AddressInfo).port };
  }

  /** Connections that stand at its near side. */
  get connections(): number {
    return this.#near.size;
  }

  /** A black hole for the connections that stand. */
  swallow(): void {
    for (const near of this.#near) this.#deaf.add(near);
  }

  async close(): Promise<void> {
    for (const each of this.#open) each.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #connect(near: Socket): void {
    const { answer, login } = this.#weather;
    let text = "";
    const take = (data: Buffer) => {
      text += data.toString("latin1");
      if (text.length > maxRequestBytes) near.destroy();
      if (!text.includes("\r\n\r\n")) return;
      near.off("data", take);
      this.asked.push(/^CONNECT (\S+) HTTP/.exec(text)?.[1] ?? text);
      const wanted = login === undefined ? null : `Proxy-Authorization: Basic ${Buffer.from(login).toString("base64")}\r\n`;
      if (answer !== undefined) {
        near.write(answer.bytes, "latin1");
        if (answer.ends) near.end();
      } else if (wanted !== null && !text.includes(wanted)) {
        near.end("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n");
      } else {
        near.pause();
        near.write("HTTP/1.1 200 Connection established\r\n\r\n");
        this.#relay(near, near, parseAddress(this.asked.at(-1) ?? ""));
      }
    };
    near.on("data", take);
  }

  #relay(near: Socket, plain: Duplex, to: Address): void {
    const { inspector, old = false } = this.#weather;
    if (inspector === undefined) return this.#pipe(near, plain, this.#keep(connectTcp(to)));
    const versions = old ? ({ minVersion: "TLSv1.2", maxVersion: "TLSv1.2" } as const) : {};
    const inside = this.#keep(
      new TLSSocket(near, { ...serverTlsOptions(inspector), ...versions, isServer: true, requestCert: false }),
    );
    const far = this.#keep(connectTls({ ...to, rejectUnauthorized: false, minVersion: "TLSv1.3" }));
    this.#pipe(near, inside, far);
  }

  #pipe(near: Socket, front: Duplex, back: Duplex): void {
    const cut = () => {
      near.resetAndDestroy();
      back.destroy();
    };
    for (const [from, to] of [
      [front, back],
      [back, front],
    ] as const) {
      from.on("data", (data: Buffer) => {
        if (this.#deaf.has(near)) return;
        const bytes = from === front && this.#weather.strips === true ? withoutUpgrade(data) : data;
        const room = from === front ? this.budget : Number.POSITIVE_INFINITY;
        if (from === front) this.budget -= bytes.length;
        if (bytes.length <= room) return void to.write(bytes);
        // The beginning arrives, the rest never does.
        if (room > 0) to.write(bytes.subarray(0, room), () => setImmediate(cut));
        else cut();
      });
      from.on("close", () => {
        if (!this.#deaf.has(near)) to.destroy();
      });
      from.resume();
    }
  }

  #keep<T extends Duplex>(socket: T): T {
    this.#open.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }
}

function withoutUpgrade(data: Buffer): Buffer {
  const text = data.toString("latin1");
  return text.startsWith("GET ")
    ? Buffer.from(text.replace(/^Upgrade:.*\r\n/im, "").replace(/^Connection:.*\r\n/im, "Connection: keep-alive\r\n"), "latin1")
    : data;
}
