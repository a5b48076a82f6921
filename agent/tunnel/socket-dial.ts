import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { formatAddress } from "../address/index.ts";
import { clientTlsOptions, type TlsKeys } from "../tls/index.ts";
import { LinkError } from "./errors.ts";
import { closeTimeoutMs, unknownPeerMs } from "./limits.ts";
import type { Dial, MessageStream } from "./message-stream.ts";
import { WebSocketStream } from "./web-socket-stream.ts";

/** Dials over TLS 1.3 with the node's certificate; null where it has none yet and joins. */
export function socketDial(keys: TlsKeys | null): Dial {
  return (target, signal) => {
    const socket = new WebSocket(`wss://${formatAddress(target.address)}${target.path}`, {
      ...clientTlsOptions(keys),
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: target.maxMessageBytes,
      handshakeTimeout: unknownPeerMs,
      ...closeTimeout,
    });
    return opened(socket, signal);
  };
}

/** Newer than its types in @types/ws. */
const closeTimeout = { closeTimeout: closeTimeoutMs };

function opened(socket: WebSocket, signal: AbortSignal): Promise<MessageStream> {
  return new Promise((resolve, reject) => {
    let tls: TLSSocket | null = null;
    const abort = () => socket.terminate();
    const onUpgrade = (response: IncomingMessage) => {
      tls = response.socket as TLSSocket;
    };
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.off("upgrade", onUpgrade);
      socket.off("open", onOpen);
      socket.off("error", onError);
    };
    const onOpen = () => {
      settle();
      if (tls === null) reject(new LinkError("LINK_UNREACHABLE", "the connection did not become a stream"));
      else resolve(new WebSocketStream(socket, tls));
    };
    const onError = (cause: Error) => {
      settle();
      // Terminating a socket that is not open yet reports an error once more.
      socket.on("error", () => {});
      reject(new LinkError("LINK_UNREACHABLE", `no connection: ${cause.message}`, { cause }));
    };
    socket.once("upgrade", onUpgrade);
    socket.once("open", onOpen);
    socket.once("error", onError);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}
