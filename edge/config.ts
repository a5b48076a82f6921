import { z } from "zod";
import type { Address } from "../agent/address/index.ts";
import { addressShape, type ConfigEntry, firstApi, firstMemberEntries, memberShape } from "../agent/config/index.ts";
import type { ProxySettings } from "../agent/proxy/index.ts";

/** `tidegate.yaml` of an edge. */
export const edgeConfigSchema = z.strictObject({
  gateway: z.strictObject({ address: addressShape }).nullable(),
  requirePermit: z.boolean().default(false),
  ...memberShape,
});

export type EdgeConfig = z.infer<typeof edgeConfigSchema>;

export interface FirstConfig {
  /** `host:port`; null where only media reach this edge. */
  readonly gateway: string | null;
  /** Loopback address of the local API; null leaves the Unix socket alone. */
  readonly api: Address | null;
  /** What stands between this edge and its gateway; null for nothing. */
  readonly proxy?: ProxySettings | null;
}

/** The configuration that `edge join` writes. */
export function firstConfig({ gateway, api, proxy = null }: FirstConfig): ConfigEntry[] {
  return [
    {
      key: "gateway",
      value: gateway === null ? null : { address: gateway },
      comment: "where this edge dials out to; null: only media reach it",
    },
    {
      key: "requirePermit",
      value: false,
      comment: "true: no password is changed without a person's permit on this machine (tidegate edge permit --for 2h).",
    },
    firstApi({ loopback: api, tls: null }),
    ...firstMemberEntries(gateway === null ? "media" : "wire", proxy),
  ];
}
