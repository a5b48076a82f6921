import { isIPv6 } from "node:net";
import { LinkError } from "./errors.ts";

/** Where to dial or to listen. */
export interface Address {
  /** A host name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 as `[::1]:7443`. Throws LINK_ADDRESS. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253})):([0-9]{1,5})$/.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) {
    throw new LinkError("LINK_ADDRESS", "not an address of the form host:port", {
      hint: "Write host:port, an IPv6 address in brackets: [fd00::1]:7443.",
    });
  }
  return { host, port };
}

/** Inverse of {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
