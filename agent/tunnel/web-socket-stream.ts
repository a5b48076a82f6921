import type { TLSSocket } from "node:tls";
import type { RawData, WebSocket } from "ws";
import type { ChannelBinding } from "../../protocol/tunnel/index.ts";
import { directBinding } from "../tls/index.ts";
import type { MessageStream, StreamReceiver } from "./message-stream.ts";

/** Close codes for applications begin here (RFC 6455 section 7.4.2). */
const firstApplicationCode = 4000;
const unsupportedData = 1003;

/** A stream over an open WebSocket; paused until {@link start}. */
export class WebSocketStream implements MessageStream {
  readonly #socket: WebSocket;
  readonly #tls: TLSSocket;
  readonly #mode: ChannelBinding["mode"];
  readonly remote: string;
  #receiver: StreamReceiver | null = null;

  /** In mode `proxy` nothing of TLS is bound: it ends somewhere in between. */
  constructor(socket: WebSocket, tls: TLSSocket, mode: ChannelBinding["mode"]) {
    this.#socket = socket;
    this.#tls = tls;
    this.#mode = mode;
    this.remote = `${tls.remoteAddress ?? "gone"}:${tls.remotePort ?? 0}`;
    socket.pause();
    // An error is always followed by 'close', which says all that matters.
    socket.on("error", () => {});
  }

  /** Made anew at each call, so that an idle connection does not hold the certificate. Throws TLS_NOT_FRESH. */
  get binding(): ChannelBinding {
    return this.#mode === "proxy" ? { mode: "proxy" } : directBinding(this.#tls);
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(receiver: StreamReceiver): void {
    this.#receiver = receiver;
    if (this.#socket.readyState === this.#socket.CLOSED) return queueMicrotask(() => receiver.closed(null));
    this.#socket.on("message", (data: RawData, binary: boolean) => {
      if (binary) receiver.message(data as Buffer);
      else this.#socket.close(unsupportedData);
    });
    this.#socket.once("close", (code) => {
      const reason = code - firstApplicationCode;
      receiver.closed(reason >= 0 && reason <= 999 ? reason : null);
    });
    this.#socket.resume();
  }

  send(message: Uint8Array): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(message, sendOptions, this.#sent);
  }

  close(reason: number): void {
    this.#socket.resume();
    this.#socket.close(firstApplicationCode + reason);
  }

  /** One function for all messages: an idle stream keeps nothing per message. */
  readonly #sent = (error?: Error | null): void => {
    if (error === undefined || error === null) this.#receiver?.drained();
  };
}

const sendOptions = { binary: true, compress: false } as const;
