import { connect, type Socket } from "node:net";
import type { Secret } from "../../protocol/base/index.ts";
import { type Address, formatAddress } from "../address/index.ts";
import { LinkError } from "./errors.ts";
import { maxProxyAnswerBytes } from "./limits.ts";

/** What is asked of an HTTP proxy. */
export interface ConnectRequest {
  readonly proxy: Address;
  /** Where the proxy is to connect to; it looks the name up. */
  readonly target: Address;
  /** `user:password`, or null. */
  readonly login: Secret | null;
}

/**
 * A connection to `target` through an HTTP proxy (RFC 9110 section 9.3.6), nothing read from it yet. Rejects with LINK_PROXY_UNREACHABLE,
 * LINK_PROXY_LOGIN, LINK_PROXY_REFUSED, LINK_PROXY_ANSWER, LINK_TIMEOUT where `signal` aborts; nothing is left open then.
 */
export function connectThrough({ proxy, target, login }: ConnectRequest, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: proxy.host, port: proxy.port, noDelay: true });
    let answer = Buffer.alloc(0);
    let connected = false;
    const settle = (error: LinkError | null) => {
      signal.removeEventListener("abort", onAbort);
      socket.off("data", onData).off("close", onClose);
      if (error === null) return resolve(socket.pause());
      socket.destroy();
      reject(error);
    };
    const onAbort = () => settle(new LinkError("LINK_TIMEOUT", "the proxy did not answer in time"));
    const onClose = () => {
      const what = connected ? "it closed instead of answering" : (socket.errored?.message ?? "no connection");
      settle(new LinkError("LINK_PROXY_UNREACHABLE", `no way through the proxy ${formatAddress(proxy)}: ${what}`));
    };
    const onData = (data: Buffer) => {
      answer = Buffer.concat([answer, data]);
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0 && answer.length <= maxProxyAnswerBytes) return;
      settle(end < 0 || end > maxProxyAnswerBytes ? noAnswer() : judge(answer, end));
    };
    // 'close' follows and has the error.
    socket.on("error", () => {});
    socket.once("connect", () => {
      connected = true;
      const request = requestBytes(target, login);
      socket.write(request, () => request.fill(0));
    });
    socket.on("data", onData).once("close", onClose);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** Null for a tunnel that stands. TLS clients speak first: whatever follows the header came from somebody else. */
function judge(answer: Buffer, end: number): LinkError | null {
  const status = /^HTTP\/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n/.exec(answer.toString("latin1"))?.[1];
  if (status === undefined || answer.length > end + 4) return noAnswer();
  if (status.startsWith("2")) return null;
  if (status === "407") {
    return new LinkError("LINK_PROXY_LOGIN", "the proxy wants a login, or another one (407)", {
      hint: "Give it with 'tidegate gateway proxy-login' or 'tidegate edge proxy-login'.",
    });
  }
  return new LinkError("LINK_PROXY_REFUSED", `the proxy answered CONNECT with ${status}`, {
    hint: "Have the proxy allow CONNECT to this host and port, or name the host in proxy.except.",
  });
}

function noAnswer(): LinkError {
  return new LinkError("LINK_PROXY_ANSWER", "what answers at the proxy's address is no HTTP proxy", {
    hint: "Check proxy.address; a proxy that itself wants TLS is not supported.",
  });
}

function requestBytes(target: Address, login: Secret | null): Buffer {
  const place = formatAddress(target);
  const head = `CONNECT ${place} HTTP/1.1\r\nHost: ${place}\r\n`;
  if (login === null) return Buffer.from(`${head}\r\n`);
  return login.use((bytes) =>
    Buffer.from(`${head}Proxy-Authorization: Basic ${Buffer.from(bytes).toString("base64")}\r\n\r\n`),
  );
}
