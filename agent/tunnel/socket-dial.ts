import type { X509Certificate } from "node:crypto";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import { WebSocket } from "ws";
import { formatAddress } from "../address/index.ts";
import { type ProxyRoute, routeTo } from "../proxy/index.ts";
import { clientTlsOptions, type TlsKeys } from "../tls/index.ts";
import { inspected, LinkError } from "./errors.ts";
import { connectThrough } from "./http-connect.ts";
import { readAuthorities, requireInspector } from "./inspection.ts";
import { closeTimeoutMs, dialMs } from "./limits.ts";
import type { Dial, DialTarget, MessageStream } from "./message-stream.ts";
import { WebSocketStream } from "./web-socket-stream.ts";

/**
 * Dials over TLS 1.3 with the node's certificate; null where it has none yet and joins. Through an inspecting proxy no certificate of ours
 * is shown: it could not arrive.
 */
export function socketDial(keys: TlsKeys | null, proxy: ProxyRoute | null = null): Dial {
  let own: ReturnType<typeof tlsOptions> | null = null;
  return async (target, signal) => {
    const route = routeTo(proxy, target.address.host);
    const inspectors = route?.inspectionCa == null ? null : readAuthorities(route.inspectionCa);
    const through = await proxied(route, target, signal);
    own ??= tlsOptions(keys);
    // Between inspector and node TLS ends: an older version there gives nothing away.
    const tls = inspectors === null ? own : { ...clientTlsOptions(null), minVersion: "TLSv1.2" as const };
    const socket = new WebSocket(`wss://${formatAddress(target.address)}${target.path}`, {
      ...tls,
      ...(through === null ? {} : { createConnection: () => connectTls({ ...tls, socket: through }) }),
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: target.maxMessageBytes,
      handshakeTimeout: dialMs,
      ...closeTimeout,
    });
    return opened(socket, signal, { inspectors, showsKey: keys !== null && inspectors === null });
  };
}

/** Made once: parsing key and certificate costs as much as the handshake's own signature. */
function tlsOptions(keys: TlsKeys | null) {
  const options = clientTlsOptions(keys);
  return { ...options, secureContext: createSecureContext(options) };
}

async function proxied(route: ProxyRoute | null, target: DialTarget, signal: AbortSignal): Promise<Socket | null> {
  if (route === null || route.address === null) return null;
  const login = route.login();
  try {
    return await connectThrough({ proxy: route.address, target: target.address, login }, signal);
  } finally {
    login?.wipe();
  }
}

/** Newer than its types in @types/ws. */
const closeTimeout = { closeTimeout: closeTimeoutMs };

/** What the dialler may expect of what answers. */
interface Expected {
  /** Authorities of an inspecting proxy; null in mode direct. */
  readonly inspectors: readonly X509Certificate[] | null;
  /** True where our certificate is shown: only a node of this vault then answers, or something in between. */
  readonly showsKey: boolean;
}

function opened(socket: WebSocket, signal: AbortSignal, expected: Expected): Promise<MessageStream> {
  return new Promise((resolve, reject) => {
    let tls: TLSSocket | null = null;
    const abort = () => socket.terminate();
    const onUpgrade = (response: IncomingMessage) => {
      tls = response.socket as TLSSocket;
    };
    const settle = () => {
      signal.removeEventListener("abort", abort);
      socket.off("upgrade", onUpgrade).off("open", onOpen).off("error", onError).off("unexpected-response", onResponse);
      // Ending a socket that is not open yet reports an error once more.
      socket.on("error", () => {});
    };
    const fail = (error: LinkError) => {
      settle();
      socket.terminate();
      reject(error);
    };
    const checked = (connection: TLSSocket, next: () => void) => {
      try {
        if (expected.inspectors !== null) requireInspector(connection, expected.inspectors);
        next();
      } catch (error) {
        fail(error as LinkError);
      }
    };
    const onOpen = () => {
      const connection = tls;
      if (connection === null) return fail(stripped("the connection did not become a stream"));
      checked(connection, () => {
        settle();
        resolve(new WebSocketStream(socket, connection, expected.inspectors === null ? "direct" : "proxy"));
      });
    };
    const onResponse = (request: ClientRequest, response: IncomingMessage) => {
      checked(response.socket as TLSSocket, () => fail(refused(response.statusCode ?? 0, expected)));
      request.destroy();
    };
    const onError = (cause: Error) => {
      if (signal.aborted) fail(new LinkError("LINK_TIMEOUT", "no answer in time", { cause, hint: timeoutHint }));
      else if (tls !== null) fail(stripped(cause.message));
      else fail(noConnection(cause));
    };
    socket.once("upgrade", onUpgrade).once("open", onOpen).once("error", onError).once("unexpected-response", onResponse);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

const timeoutHint = "Packets are dropped on the way (a firewall without an answer), or the other end hangs.";

/** An HTTP answer in place of the upgrade. In mode direct no node of this vault gives another than 404. */
function refused(status: number, { inspectors, showsKey }: Expected): LinkError {
  if (showsKey && status !== 404) return inspected(`it answered with ${status}`);
  if (inspectors !== null && status === 403) {
    return new LinkError(
      "LINK_MODE_REFUSED",
      "the other node, or the proxy, refuses connections through an inspecting proxy (403)",
      {
        hint: "Set allowProxies: true where the other node listens (edges or tunnel in its tidegate.yaml), and restart it.",
      },
    );
  }
  const passes = status === 403 || status === 404 || status >= 500;
  return passes ? new LinkError("LINK_UNREACHABLE", `no tunnel there: ${status}`) : stripped(`it answered with ${status}`);
}

function stripped(what: string): LinkError {
  return new LinkError("LINK_UPGRADE_STRIPPED", `the connection did not become a WebSocket: ${what}`, {
    hint: "A proxy on the way takes the header Upgrade out: allow WebSocket to this address, or go around the proxy.",
  });
}

function noConnection(cause: Error): LinkError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (!/^(ERR_SSL_|EPROTO|ERR_TLS)/.test(code))
    return new LinkError("LINK_UNREACHABLE", `no connection: ${cause.message}`, { cause });
  return new LinkError("LINK_TLS", `no TLS 1.3 with what answered: ${code}`, {
    cause,
    hint: "Something on the way filters or ends TLS, or another service listens at the address.",
  });
}
