import { type IncomingMessage, STATUS_CODES } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { maxFrameBytes } from "../../protocol/tunnel/index.ts";
import type { Address } from "../address/index.ts";
import { serverTlsOptions, type TlsKeys } from "../tls/index.ts";
import { LinkError } from "./errors.ts";
import { closeTimeoutMs, maxHttpHeaderBytes, maxJoinRequestBytes, unknownPeerMs } from "./limits.ts";
import { Lobby, type LobbyLimits } from "./lobby.ts";
import { joinPath, type Listen, type ListenOptions, type StreamPath, tunnelPath } from "./message-stream.ts";
import { WebSocketStream } from "./web-socket-stream.ts";

/** Listens over TLS 1.3 with the node's certificate. */
export function socketListen(keys: TlsKeys, limits?: LobbyLimits): Listen {
  return async (options) => {
    const lobby = new Lobby(limits);
    const server = createServer({ ...serverTlsOptions(keys), maxHeaderSize: maxHttpHeaderBytes }, (_request, response) => {
      response.writeHead(404, { connection: "close" }).end();
    });
    server.headersTimeout = unknownPeerMs;
    server.on("connection", (socket) => lobby.enter(socket as Socket));
    // Half a TLS handshake and the like: the socket is closed by then.
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    const upgrade = upgrader(options, lobby);
    server.on("upgrade", upgrade);
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
    const onError = (cause: Error) => {
      reject(new LinkError("LINK_LISTEN", `cannot listen: ${cause.message}`, { cause }));
    };
    server.once("error", onError);
    server.listen({ host: address.host, port: address.port, backlog: 1_024 }, () => {
      server.off("error", onError);
      // Running out of file descriptors shows here; the connections that stand go on.
      server.on("error", () => {});
      const bound = server.address() as AddressInfo;
      resolve({ host: address.host, port: bound.port });
    });
  });
}

function upgrader(options: ListenOptions, lobby: Lobby): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const common = { noServer: true, perMessageDeflate: false, clientTracking: false, closeTimeout: closeTimeoutMs };
  const servers = {
    [tunnelPath]: new WebSocketServer({ ...common, maxPayload: maxFrameBytes }),
    [joinPath]: new WebSocketServer({ ...common, maxPayload: maxJoinRequestBytes }),
  };
  return (request, socket, head) => {
    const tls = socket as TLSSocket;
    const path = pathOf(request.url);
    if (path === null) return refuse(socket, 404);
    if (path === tunnelPath && tls.getPeerX509Certificate() === undefined) return refuse(socket, 403);
    servers[path].handleUpgrade(request, socket, head, (webSocket) => {
      options.onStream(new WebSocketStream(webSocket, tls), path, { admit: () => lobby.admit(tls) });
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
