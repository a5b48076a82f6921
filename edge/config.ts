import { z } from "zod";
import type { ConfigEntry } from "../agent/config/index.ts";

const hostPort = z
  .string()
  .regex(/^(\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):[0-9]{1,5}$/, "host:port, an IPv6 address in brackets");
const port = z.int().min(0).max(65_535);

/** Silence of the vault after which the edge is stale: a day on a wire; 45 days where media travel. */
const defaultStaleAfterS = 86_400;
/** How far the machine's own clock may run ahead of the last signed time and still be believed for windows. */
const defaultClockGapS = 3_600;

/** `tidegate.yaml` of an edge. */
export const edgeConfigSchema = z.strictObject({
  gateway: z.strictObject({ address: hostPort }),
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
  clock: z
    .strictObject({
      trusted: z.boolean().default(false),
      gapS: z.int().min(0).max(604_800).default(defaultClockGapS),
    })
    .prefault({}),
  staleAfterS: z.int().min(60).max(31_536_000).default(defaultStaleAfterS),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info") }).prefault({}),
});

export type EdgeConfig = z.infer<typeof edgeConfigSchema>;

export interface FirstConfig {
  /** `host:port`. */
  readonly gateway: string;
  /** Loopback address of the local API; null leaves the Unix socket alone. */
  readonly api: { readonly host: string; readonly port: number } | null;
}

/** The configuration that `edge join` writes. */
export function firstConfig({ gateway, api }: FirstConfig): ConfigEntry[] {
  return [
    { key: "gateway", value: { address: gateway }, comment: "where this edge dials out to" },
    {
      key: "api",
      value: {
        socketMode: 0o600,
        loopback: api === null ? null : { address: api.host, port: api.port },
        tls: null,
      },
      comment:
        "The local API: always the socket api.sock (mode in decimal, 384 = 0600); a loopback address without TLS;\n" +
        "tls: { on: an address of this machine or the name of a network interface, port, hosts }.",
    },
    {
      key: "clock",
      value: { trusted: false, gapS: defaultClockGapS },
      comment: "trusted: this machine has a clock that may be believed. gapS: how far ahead it may be otherwise.",
    },
    { key: "staleAfterS", value: defaultStaleAfterS, comment: "silence of the vault that makes health red, seconds" },
    { key: "log", value: { level: "info" }, comment: "debug, info, warn, error or silent" },
  ];
}
