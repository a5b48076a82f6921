import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { formatAddress, parseAddress } from "../../agent/address/index.ts";
import type { DataFolder } from "../../agent/data-folder/index.ts";
import { type Finding, failure, good, warning } from "./finding.ts";
import { reachMs } from "./limits.ts";
import type { MachineFacts } from "./machine-facts.ts";

/** Where a node dials, as its configuration says it. */
export interface Upstream {
  /** host:port of the vault or the gateway. */
  readonly address: string;
  /** host:port of the proxy that is asked to CONNECT; null where none is. */
  readonly proxy: string | null;
}

/** Whether what the node dials answers, and whether TLS reaches it unbroken. */
export async function reachChecks(
  folder: DataFolder,
  { address, proxy }: Upstream,
  facts: Pick<MachineFacts, "lookup">,
): Promise<Finding[]> {
  if (proxy !== null) return [await proxyCheck(proxy)];
  const { host } = parseAddress(address);
  try {
    await facts.lookup(host);
  } catch {
    return [
      failure(
        "reachability",
        `the name ${host} cannot be looked up`,
        "Put it into /etc/hosts, or an IP address into tidegate.yaml.",
      ),
    ];
  }
  let socket: Socket;
  try {
    socket = await opened(address);
  } catch (error) {
    return [
      failure(
        "reachability",
        `${address} does not answer: ${wordOf(error)}`,
        "Is it running? A firewall that drops packets shows as a timeout.",
      ),
    ];
  }
  const reached = good("reachability", `${address} answers`);
  try {
    return [reached, judged(folder, await handshaken(socket))];
  } catch (error) {
    const says = `${address} answers, but not with TLS 1.3: ${wordOf(error)}`;
    return [reached, failure("TLS", says, "Another service listens there, or something in between breaks TLS.")];
  } finally {
    socket.destroy();
  }
}

async function proxyCheck(proxy: string): Promise<Finding> {
  try {
    (await opened(proxy)).destroy();
    return good("proxy", `${proxy} answers`);
  } catch (error) {
    return failure("proxy", `${proxy} does not answer: ${wordOf(error)}`, "See the section 'proxy' of tidegate.yaml.");
  }
}

/** Our authority signed what the peer shows, or somebody else sits in between: that one sees no content, and the tunnel says so. */
function judged({ authority }: DataFolder, certificate: X509Certificate): Finding {
  let own: X509Certificate;
  try {
    own = new X509Certificate(readFileSync(authority));
  } catch {
    return warning("TLS", "there is no ca.pem to compare with", "It is written when the node starts for the first time.");
  }
  if (certificate.verify(own.publicKey)) return good("TLS", "end to end: the certificate is of this vault's authority");
  const issuer = certificate.issuer.split("\n").at(-1) ?? "";
  const hint = "A proxy that inspects TLS: except this address from it, or name its authority in tidegate.yaml.";
  return failure("TLS", `the certificate is by ${issuer}, not by this vault's authority`, hint);
}

function opened(address: string): Promise<Socket> {
  const { host, port } = parseAddress(address);
  return settled((resolve, reject) => {
    const socket = connect({ host, port });
    socket.once("connect", () => resolve(socket)).once("error", reject);
    return socket;
  }, formatAddress({ host, port }));
}

function handshaken(socket: Socket): Promise<X509Certificate> {
  return settled<X509Certificate, TLSSocket>((resolve, reject) => {
    // Only looked at: nothing is sent to whoever it is.
    const tls = connectTls({ socket, minVersion: "TLSv1.3", rejectUnauthorized: false });
    tls.once("error", reject).once("close", () => reject(new Error("it hung up")));
    tls.once("secureConnect", () => {
      const shown = tls.getPeerX509Certificate();
      if (shown === undefined) reject(new Error("no certificate"));
      else resolve(shown);
    });
    return tls;
  }, "TLS");
}

/** Gives up after a while; what was begun is then destroyed. */
function settled<T, S extends Socket>(
  begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => S,
  what: string,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`${what} gave no answer within ${reachMs / 1000} s`));
    }, reachMs);
    const end =
      <V>(settle: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        settle(value);
      };
    const socket = begin(end(resolve), (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    });
  });
}

function wordOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}
