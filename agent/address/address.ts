import { isIPv4, isIPv6 } from "node:net";
import { TidegateError } from "../../protocol/base/index.ts";

export const ADDRESS_CODES = {
  /** An address is not of the form host:port. */
  ADDRESS_INVALID: { fault: "operator", retryable: false },
} as const;

export class AddressError extends TidegateError<keyof typeof ADDRESS_CODES> {}

/** What to write where an address is refused. */
export const addressHint =
  "Write host:port, with a port up to 65535: vault.example:7443, 10.1.2.3:7443, an IPv6 address in brackets as [fd00::1]:7443.";

/** What to do where an address cannot be listened on, by the system's own word. */
export function listenHint(code: string | undefined): string {
  switch (code) {
    case "EADDRINUSE":
      return "Another process listens there ('ss -ltnp' names it): stop it, or change the port in tidegate.yaml.";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "No interface of this machine has that address ('ip address' lists them): correct it in tidegate.yaml.";
    case "EACCES":
      return "This user may not listen there: ports below 1024 are the system's. Change it in tidegate.yaml.";
    default:
      return "The address stands in tidegate.yaml.";
  }
}

/** Where to dial or to listen. */
export interface Address {
  /** A host name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port`, IPv6 as `[::1]:7443`. Throws ADDRESS_INVALID. */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]{1,253})):([0-9]{1,5})$/.exec(text);
  const [, bracketed, plain, digits] = match ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  const isHost = bracketed === undefined ? plain !== undefined && isHostOrIPv4(plain) : isIPv6(bracketed);
  if (host === undefined || port > 65_535 || !isHost) {
    throw new AddressError(ADDRESS_CODES, "ADDRESS_INVALID", "not an address of the form host:port", { hint: addressHint });
  }
  return { host, port };
}

/** Digits and dots alone are no name: what is no IPv4 address then is one that was mistyped. */
function isHostOrIPv4(text: string): boolean {
  return !/^[0-9.]+$/.test(text) || isIPv4(text);
}

/** True where {@link parseAddress} takes it. */
export function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}

/** Inverse of {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}
