import { z } from "zod";
import type { ConfigEntry } from "../agent/config/index.ts";
import { parseAddress } from "../agent/tunnel/index.ts";
import { gatewayLimits } from "./limits.ts";

const hostPort = z.string().refine(isAddress, "host:port, an IPv6 address in brackets");
const port = z.int().min(0).max(65_535);
const mebibyte = 1024 * 1024;

/** Silence of the vault that makes health red: a day. */
const defaultStaleAfterS = 86_400;
/** How far the machine's own clock may run ahead of the last signed time and still be believed for windows. */
const defaultClockGapS = 3_600;
const defaultTotalMib = gatewayLimits.totalBytes / mebibyte;

/** `tidegate.yaml` of a gateway. */
export const gatewayConfigSchema = z.strictObject({
  vault: z.strictObject({ address: hostPort }),
  edges: z.strictObject({ listen: hostPort.nullable().default(null) }).prefault({}),
  api: z
    .strictObject({
      socketMode: z.int().min(0o600).max(0o666).default(0o600),
      loopback: z
        .strictObject({ address: z.string().min(1).default("127.0.0.1"), port: port.default(7446) })
        .nullable()
        .default(null),
      tls: z
        .strictObject({
          on: z.string().min(1),
          port: port.default(7445),
          hosts: z.array(z.string().min(1)).max(16).default([]),
        })
        .nullable()
        .default(null),
    })
    .prefault({}),
  mailboxes: z.strictObject({ totalMib: z.int().min(64).max(1_048_576).default(defaultTotalMib) }).prefault({}),
  clock: z
    .strictObject({
      trusted: z.boolean().default(false),
      gapS: z.int().min(0).max(604_800).default(defaultClockGapS),
    })
    .prefault({}),
  staleAfterS: z.int().min(60).max(31_536_000).default(defaultStaleAfterS),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info") }).prefault({}),
});

export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;

export interface FirstConfigOptions {
  readonly vault: string;
  /** `host:port` for edges, null for none. */
  readonly edges: string | null;
  /** `host:port` of the local API on loopback, null for none. */
  readonly api: string | null;
  /** `address-or-interface:port` of the local API over TLS, null for none. */
  readonly apiTls: string | null;
}

/** The configuration that `gateway join` writes. */
export function firstConfig(options: FirstConfigOptions): ConfigEntry[] {
  const loopback = options.api === null ? null : parseAddress(options.api);
  const tls = options.apiTls === null ? null : parseAddress(options.apiTls);
  return [
    {
      key: "vault",
      value: { address: options.vault },
      comment: "where this gateway dials out to; it never listens towards the vault",
    },
    { key: "edges", value: { listen: options.edges }, comment: "where edges dial in; null where there are none" },
    {
      key: "api",
      value: {
        socketMode: 0o600,
        loopback: loopback === null ? null : { address: loopback.host, port: loopback.port },
        tls: tls === null ? null : { on: tls.host, port: tls.port, hosts: [] },
      },
      comment:
        "The local API: always the socket api.sock (mode in decimal, 384 = 0600); a loopback address without TLS;\n" +
        "tls: { on: an address of this machine or the name of a network interface, port, hosts }.",
    },
    { key: "mailboxes", value: { totalMib: defaultTotalMib }, comment: "room for what waits for edges and for the vault, MiB" },
    {
      key: "clock",
      value: { trusted: false, gapS: defaultClockGapS },
      comment: "trusted: this machine has a clock that may be believed. gapS: how far ahead it may be otherwise.",
    },
    { key: "staleAfterS", value: defaultStaleAfterS, comment: "silence of the vault that makes health red, seconds" },
    { key: "log", value: { level: "info" }, comment: "debug, info, warn, error or silent" },
  ];
}

function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch {
    return false;
  }
}
