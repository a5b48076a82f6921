import { type IncomingMessage, STATUS_CODES } from "node:http";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { maxFrameBytes } from "../../protocol/tunnel/index.ts";
import { type Address, listenHint } from "../address/index.ts";
import { serverTlsOptions, type TlsKeys } from "../tls/index.ts";
import { LinkError } from "./errors.ts";
import { closeTimeoutMs, listenBacklog, maxHttpHeaderBytes, maxJoinRequestBytes } from "./limits.ts";
import { Lobby, type LobbyLimits } from "./lobby.ts";
import { joinPath, type Listen, type ListenOptions, type StreamPath, tunnelPath } from "./message-stream.ts";
import { WebSocketStream } from "./web-socket-stream.ts";

/** How a server differs from the usual. */
export interface SocketListenOptions {
  /** Takes tunnels without a certificate of the node: they come through a proxy that inspects TLS (mode `proxy`). */
  readonly allowProxies?: boolean;
  readonly limits?: LobbyLimits;
}

/** Listens over TLS 1.3 with the node's certificate. */
export function socketListen(keys: TlsKeys, { allowProxies = false, limits }: SocketListenOptions = {}): Listen {
  return async (options) => {
    const https = createServer({ ...serverTlsOptions(keys), maxHeaderSize: maxHttpHeaderBytes }, (request, response) => {
      // Somebody took the header Upgrade out of a request for us: say so, for the dialler to tell it from a wrong address.
      const status = pathOf(request.url) === null ? 404 : 426;
      const upgrade = status === 426 ? { upgrade: "websocket" } : {};
      response.writeHead(status, { connection: "close", ...upgrade }).end();
    });
    // Half a TLS handshake and the like: the socket is closed by then.
    https.on("tlsClientError", (_error, socket) => socket.destroy());
    const lobby = new Lobby((socket) => https.emit("connection", socket), limits);
    https.on("upgrade", upgrader(options, { lobby, allowProxies }));
    // TLS begins when it is a connection's turn: until then nothing of it is read.
    const server = createTcpServer({ pauseOnConnect: true, noDelay: true }, (socket) => lobby.enter(socket));
    const address = await listening(server, options.address);
    let closing: Promise<void> | null = null;
    return {
      address,
      close() {
        closing ??= new Promise((resolve) => {
          server.close(() => resolve());
          lobby.cutAll();
        });
        return closing;
      },
    };
  };
}

function listening(server: Server, address: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException) => {
      reject(new LinkError("LINK_LISTEN", `cannot listen: ${cause.message}`, { cause, hint: listenHint(cause.code) }));
    };
    server.once("error", onError);
    server.listen({ host: address.host, port: address.port, backlog: listenBacklog }, () => {
      server.off("error", onError);
      // Running out of file descriptors shows here; the connections that stand go on.
      server.on("error", () => {});
      const bound = server.address() as AddressInfo;
      resolve({ host: address.host, port: bound.port });
    });
  });
}

interface Admitting {
  readonly lobby: Lobby;
  readonly allowProxies: boolean;
}

function upgrader(
  options: ListenOptions,
  { lobby, allowProxies }: Admitting,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const common = { noServer: true, perMessageDeflate: false, clientTracking: false, closeTimeout: closeTimeoutMs };
  const servers = {
    [tunnelPath]: new WebSocketServer({ ...common, maxPayload: maxFrameBytes }),
    [joinPath]: new WebSocketServer({ ...common, maxPayload: maxJoinRequestBytes }),
  };
  return (request, socket, head) => {
    const tls = socket as TLSSocket;
    const path = pathOf(request.url);
    if (path === null) return refuse(socket, 404);
    const bare = tls.getPeerX509Certificate() === undefined;
    if (path === tunnelPath && bare && !allowProxies) return refuse(socket, 403);
    servers[path].handleUpgrade(request, socket, head, (webSocket) => {
      options.onStream(new WebSocketStream(webSocket, tls, bare ? "proxy" : "direct"), path, { admit: () => lobby.admit(tls) });
    });
  };
}

function pathOf(url: string | undefined): StreamPath | null {
  return url === tunnelPath || url === joinPath ? url : null;
}

function refuse(socket: Duplex, status: 403 | 404): void {
  socket.on("error", () => {});
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
