import { BlockList, isIP } from "node:net";
import type { Secret } from "../../protocol/base/index.ts";
import { type Address, parseAddress } from "../address/index.ts";
import type { Store } from "../store/index.ts";
import { loadProxyLogin } from "./proxy-login.ts";

/** What stands between this node and the one that it dials. */
export interface ProxyRoute {
  /** An HTTP proxy that is asked to CONNECT; null where none is. */
  readonly address: Address | null;
  /** Dialled straight and without inspection: a host name, `.domain` with all below it, an IP address, or a network as `10.1.0.0/16`. */
  readonly except: readonly string[];
  /** PEM file of the authorities of a proxy that inspects TLS, which puts the tunnel into mode `proxy`; null in mode `direct`. Read at each dial. */
  readonly inspectionCa: string | null;
  /** `user:password` for the proxy, asked at each dial and wiped by the caller; null for none. */
  login(): Secret | null;
}

/** The section `proxy` of a configuration. */
export interface ProxySettings {
  /** `host:port` of an HTTP proxy. */
  readonly address: string | null;
  readonly except: readonly string[];
  readonly inspectionCa: string | null;
}

/** The route that a configuration describes, with the login that the node's store keeps. Throws ADDRESS_INVALID. */
export function routeOf(settings: ProxySettings | null, store: Store): ProxyRoute | null {
  if (settings === null) return null;
  const { address, except, inspectionCa } = settings;
  return {
    address: address === null ? null : parseAddress(address),
    except,
    inspectionCa,
    login: () => loadProxyLogin(store),
  };
}

/** The route to `host`: null where nothing stands in between. */
export function routeTo(route: ProxyRoute | null, host: string): ProxyRoute | null {
  return route === null || route.except.some((each) => covers(each, host)) ? null : route;
}

/** True where one exception is well formed. */
export function isException(text: string): boolean {
  if (/^\.?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(text) || isIP(text) !== 0) return true;
  return networkOf(text) !== null;
}

function covers(exception: string, host: string): boolean {
  const family = isIP(host);
  const network = networkOf(exception);
  if (network !== null) return family !== 0 && network.check(host, family === 6 ? "ipv6" : "ipv4");
  const [name, other] = [exception.toLowerCase(), host.toLowerCase()];
  return name.startsWith(".") ? other.endsWith(name) || other === name.slice(1) : other === name;
}

/** The addresses that an address or network names; null for a host name. */
function networkOf(text: string): BlockList | null {
  const [address = "", bits, more] = text.split("/");
  const family = isIP(address);
  if (family === 0 || more !== undefined) return null;
  const list = new BlockList();
  const kind = family === 6 ? "ipv6" : "ipv4";
  if (bits === undefined) list.addAddress(address, kind);
  else if (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32)) list.addSubnet(address, Number(bits), kind);
  else return null;
  return list;
}
