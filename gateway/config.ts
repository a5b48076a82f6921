import { z } from "zod";
import { parseAddress } from "../agent/address/index.ts";
import { addressShape, type ConfigEntry, firstApi, firstMemberEntries, memberShape } from "../agent/config/index.ts";
import type { ProxySettings } from "../agent/proxy/index.ts";
import { gatewayLimits } from "./limits.ts";

const mebibyte = 1024 * 1024;
const defaultTotalMib = gatewayLimits.totalBytes / mebibyte;

/** `tidegate.yaml` of a gateway. */
export const gatewayConfigSchema = z.strictObject({
  vault: z.strictObject({ address: addressShape }).nullable(),
  edges: z
    .strictObject({ listen: addressShape.nullable().default(null), allowProxies: z.boolean().default(false) })
    .prefault({}),
  mailboxes: z.strictObject({ totalMib: z.int().min(64).max(1_048_576).default(defaultTotalMib) }).prefault({}),
  ...memberShape,
});

export type GatewayConfig = z.infer<typeof gatewayConfigSchema>;

export interface FirstConfigOptions {
  /** `host:port`; null where only media go to and fro. */
  readonly vault: string | null;
  /** `host:port` for edges, null for none. */
  readonly edges: string | null;
  /** `host:port` of the local API on loopback, null for none. */
  readonly api: string | null;
  /** `address-or-interface:port` of the local API over TLS, null for none. */
  readonly apiTls: string | null;
  /** What stands between this gateway and the vault; null for nothing. */
  readonly proxy?: ProxySettings | null | undefined;
}

/** The configuration that `gateway join` writes. */
export function firstConfig({ vault, edges, api, apiTls, proxy = null }: FirstConfigOptions): ConfigEntry[] {
  return [
    {
      key: "vault",
      value: vault === null ? null : { address: vault },
      comment: "where this gateway dials out to, null: only media go there; it never listens towards the vault",
    },
    {
      key: "edges",
      value: { listen: edges },
      comment:
        "where edges dial in; null where there are none. allowProxies: true takes edges behind a proxy that inspects TLS.",
    },
    firstApi({
      loopback: api === null ? null : parseAddress(api),
      tls: apiTls === null ? null : parseAddress(apiTls),
    }),
    { key: "mailboxes", value: { totalMib: defaultTotalMib }, comment: "room for what waits for edges and for the vault, MiB" },
    ...firstMemberEntries(vault === null ? "media" : "wire", proxy),
  ];
}
