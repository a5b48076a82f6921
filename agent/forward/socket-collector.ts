import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, createSecureContext, type TLSSocket } from "node:tls";
import { parseAddress } from "../address/index.ts";
import type { ForwardTarget } from "../config/index.ts";
import type { Timers } from "../seams/index.ts";
import { certificatesOf, isVouchedFor } from "../tls/index.ts";
import type { Collector } from "./contracts.ts";
import { ForwardError } from "./errors.ts";
import { maxPemBytes } from "./limits.ts";
import { SocketLink } from "./socket-link.ts";

/** We hear the collector's end after ours. Known to tls.connect, but not to its types. */
const halfOpen = { allowHalfOpen: true };

type TlsTarget = Extract<ForwardTarget, { to: "tls" }>;

/** A collector at a TCP address, without TLS. Throws ADDRESS_INVALID. */
export function tcpCollector(address: string, timers: Timers): Collector {
  const { host, port } = parseAddress(address);
  return {
    place: `tcp ${address}`,
    open: async (signal) => new SocketLink(await connected(connect({ host, port, ...halfOpen }), "connect", signal), timers),
  };
}

/** A collector at a Unix stream socket of this machine. */
export function unixCollector(path: string, timers: Timers): Collector {
  return {
    place: `unix ${path}`,
    open: async (signal) => new SocketLink(await connected(connect({ path, ...halfOpen }), "connect", signal), timers),
  };
}

/** A collector over TLS, RFC 5425: its certificate is judged before a byte of ours leaves. Files are read at each dial. */
export function tlsCollector(target: TlsTarget, timers: Timers): Collector {
  const { host, port } = parseAddress(target.address);
  const name = target.serverName ?? host;
  return {
    place: `tls ${target.address}`,
    async open(signal) {
      const authorities = authoritiesIn(target.ca);
      const secureContext = ownContext(target);
      const servername = isIP(name) === 0 ? name : "";
      // The library's verdict is not asked for: it would refuse every certificate while this clock stands at 1970.
      const socket = connectTls({ host, port, ...halfOpen, servername, rejectUnauthorized: false, secureContext });
      await connected(socket, "secureConnect", signal);
      try {
        requireCollector(socket, authorities, name);
        return new SocketLink(socket, timers);
      } catch (error) {
        socket.destroy();
        throw error;
      }
    },
  };
}

/** Resolves when `ready` is told; nothing stays open otherwise. */
function connected<S extends Socket>(socket: S, ready: "connect" | "secureConnect", signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const end = () => {
      socket.off(ready, stand).off("error", fail).off("close", close);
      signal.removeEventListener("abort", abort);
    };
    const fail = (cause: Error) => {
      end();
      socket.on("error", () => {}).destroy();
      reject(dialError(cause, ready === "secureConnect"));
    };
    const close = () => fail(new Error("the connection was closed"));
    const abort = () => fail(new Error("given up"));
    const stand = () => {
      end();
      resolve(socket);
    };
    socket.once(ready, stand).once("error", fail).once("close", close);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

function dialError(cause: Error, tls: boolean): ForwardError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  if (!tls || /^(ECONN(REFUSED|ABORTED)|E(HOST|NET)|ENOTFOUND|EAI_|ENOENT|EACCES|ETIMEDOUT)/.test(code)) {
    return new ForwardError("FORWARD_UNREACHABLE", `no connection to the collector: ${code || cause.message}`, {
      cause,
      hint: "Is the collector running, and does the firewall let this node reach it?",
    });
  }
  return new ForwardError("FORWARD_TLS", `no TLS with the collector: ${code || cause.message}`, {
    cause,
    hint: "It may speak no TLS at this port, or want a certificate of ours (certificate, key) that it knows.",
  });
}

/** Throws FORWARD_UNTRUSTED. */
function requireCollector(socket: TLSSocket, authorities: readonly X509Certificate[], name: string): void {
  const shown = socket.getPeerX509Certificate();
  if (shown === undefined || !isVouchedFor(shown, authorities)) {
    throw new ForwardError("FORWARD_UNTRUSTED", "the collector's certificate is not vouched for by the configured authority", {
      hint: "ca names a PEM file with the authority that signed the collector's certificate.",
    });
  }
  const fits = isIP(name) === 0 ? shown.checkHost(name) : shown.checkIP(name);
  if (fits === undefined) {
    throw new ForwardError("FORWARD_UNTRUSTED", `the collector's certificate is not for ${name}`, {
      hint: "serverName is the name that stands in its certificate, where that is not the address's host.",
    });
  }
}

function authoritiesIn(path: string): X509Certificate[] {
  const authorities = usePem(path, (pem) => certificatesOf(pem.toString("latin1")));
  if (authorities.length > 0) return authorities;
  throw new ForwardError("FORWARD_PEM", `no certificate in ${path}`, { hint: "ca names a PEM file." });
}

/** TLS 1.2 is what RFC 5425 collectors of any age speak. */
function ownContext({ certificate, key }: TlsTarget) {
  const options = { minVersion: "TLSv1.2" } as const;
  if (certificate === null || key === null) return createSecureContext(options);
  return usePem(certificate, (cert) => usePem(key, (secret) => createSecureContext({ ...options, cert, key: secret })));
}

/** Lends a file's bytes and wipes them. Throws FORWARD_PEM. */
function usePem<T>(path: string, use: (pem: Buffer) => T): T {
  let pem: Buffer | null = null;
  try {
    pem = readFileSync(path);
    if (pem.length > maxPemBytes) throw new Error(`${pem.length} bytes`);
    return use(pem);
  } catch (cause) {
    if (cause instanceof ForwardError) throw cause;
    throw new ForwardError("FORWARD_PEM", `${path} cannot be used`, {
      cause,
      hint: "It must be a PEM file that this node may read.",
    });
  } finally {
    pem?.fill(0);
  }
}
