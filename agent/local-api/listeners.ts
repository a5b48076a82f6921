import { chmodSync } from "node:fs";
import { createServer, type RequestListener, type Server, type ServerOptions } from "node:http";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { listenHint } from "../address/index.ts";
import { removeFile } from "../data-folder/index.ts";
import type { ApiListener } from "./contracts.ts";
import { ApiError } from "./errors.ts";
import { hostNames } from "./guard.ts";
import { apiLimits } from "./limits.ts";

/** PEM texts for the TLS listeners. */
export interface ApiTls {
  readonly key: string;
  readonly cert: string;
}

/** A listener that is open. */
export interface OpenListener {
  readonly kind: ApiListener["kind"];
  /** Address or socket path, and the real port; null for a socket. */
  readonly address: string;
  readonly port: number | null;
  /** Stops taking connections and ends what is open. */
  close(): Promise<void>;
}

const loopbackNames = ["localhost", "127.0.0.1", "::1"];

/** Makes a request listener that refuses Host values outside `hosts`. */
type ListenerFactory = (hosts: () => ReadonlySet<string>) => RequestListener;

/** Opens one listener. Throws API_LISTEN and API_LISTEN_UNSAFE. */
export async function openListener(listener: ApiListener, tls: ApiTls | null, make: ListenerFactory): Promise<OpenListener> {
  let hosts: ReadonlySet<string> = new Set();
  const onRequest = make(() => hosts);
  if (listener.kind === "unix") {
    const server = bounded(createServer(serverOptions, onRequest));
    removeFile(listener.path);
    await listen(server, { path: listener.path }, listener.path);
    chmodSync(listener.path, listener.mode);
    hosts = hostNames(loopbackNames, null);
    return opened(listener.kind, listener.path, null, server);
  }
  const address = listener.kind === "tls" ? addressOf(listener.on) : listener.address;
  if (listener.kind === "loopback" && !isLoopback(address)) {
    throw new ApiError("API_LISTEN_UNSAFE", `plain HTTP is for loopback addresses only, not ${address}`, {
      hint: "Use the TLS listener for an address that others reach.",
    });
  }
  const server = bounded(listener.kind === "tls" ? tlsServer(tls, onRequest) : createServer(serverOptions, onRequest));
  const { port } = await listen(server, { host: address, port: listener.port }, `${address}:${listener.port}`);
  const names = listener.kind === "tls" ? listener.hosts : [];
  hosts = hostNames([address, ...(isLoopback(address) ? loopbackNames : []), ...names], port);
  return opened(listener.kind, address, port, server);
}

const serverOptions: ServerOptions = {
  maxHeaderSize: apiLimits.headerBytes,
  headersTimeout: apiLimits.headersTimeoutMs,
  requestTimeout: apiLimits.requestTimeoutMs,
  keepAliveTimeout: apiLimits.keepAliveTimeoutMs,
  connectionsCheckingInterval: apiLimits.checkIntervalMs,
  insecureHTTPParser: false,
  noDelay: true,
};

function tlsServer(tls: ApiTls | null, onRequest: RequestListener): Server {
  if (tls === null) {
    throw new ApiError("API_LISTEN", "TLS is configured, but this node has no certificate", { hint: "Join the node first." });
  }
  // Loaded by who serves TLS only: with all that it needs it takes a twentieth of a node's start.
  return process
    .getBuiltinModule("node:https")
    .createServer({ ...serverOptions, ...tls, minVersion: "TLSv1.2", honorCipherOrder: true }, onRequest);
}

function bounded(server: Server): Server {
  server.maxConnections = apiLimits.connections;
  // A request that is not HTTP, too large or too slow: nothing to answer but the end.
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

function listen(
  server: Server,
  where: { host?: string; port?: number; path?: string },
  name: string,
): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException) =>
      reject(new ApiError("API_LISTEN", `cannot listen on ${name} (${cause.code})`, { cause, hint: listenHint(cause.code) }));
    server.once("error", failed);
    server.listen(where, () => {
      server.off("error", failed);
      const address = server.address();
      resolve({ port: typeof address === "object" && address !== null ? address.port : 0 });
    });
  });
}

function opened(kind: ApiListener["kind"], address: string, port: number | null, server: Server): OpenListener {
  let closing: Promise<void> | null = null;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    kind,
    address,
    port,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** An address stays; an interface's name becomes its first address, IPv4 before IPv6. Throws API_LISTEN. */
function addressOf(on: string): string {
  if (isIP(on) !== 0) return on;
  const found = networkInterfaces()[on] ?? [];
  const address = found.find(({ family }) => family === "IPv4") ?? found[0];
  if (address === undefined) {
    throw new ApiError("API_LISTEN", `there is no network interface ${on} with an address`, {
      hint: `Known: ${Object.keys(networkInterfaces()).join(", ")}.`,
    });
  }
  return address.address;
}

function isLoopback(address: string): boolean {
  return address === "::1" || /^127(\.\d{1,3}){3}$/.test(address);
}
