import { z } from "zod";
import type { ConfigEntry } from "../agent/config/index.ts";
import { parseAddress } from "../agent/tunnel/index.ts";

const address = z.string().refine(isAddress, "host:port, an IPv6 address in brackets");

/** `tidegate.yaml` of a vault. */
export const vaultConfigSchema = z.strictObject({
  tunnel: z.strictObject({
    /** Where gateways dial in; port 0 takes any free one. */
    listen: address,
    /** What enrolment codes for gateways name; the listening address where it is absent. */
    advertise: address.optional(),
  }),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info") }).prefault({}),
});

export type VaultConfig = z.infer<typeof vaultConfigSchema>;

/** The configuration that `vault init` writes. */
export function firstConfig(options: { listen: string; advertise: string | null }): ConfigEntry[] {
  const tunnel = { listen: options.listen, ...(options.advertise === null ? {} : { advertise: options.advertise }) };
  return [
    {
      key: "tunnel",
      value: tunnel,
      comment:
        "listen: where gateways dial in. advertise: what enrolment codes for gateways name, where that is another address.",
    },
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
