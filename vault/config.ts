import { z } from "zod";
import {
  addressShape,
  auditShape,
  type ConfigEntry,
  firstAudit,
  firstLog,
  forwardShape,
  logShape,
} from "../agent/config/index.ts";

/** `tidegate.yaml` of a vault. */
export const vaultConfigSchema = z.strictObject({
  tunnel: z.strictObject({
    /** Where gateways dial in; port 0 takes any free one. */
    listen: addressShape,
    /** What enrolment codes for gateways name; the listening address where it is absent. */
    advertise: addressShape.optional(),
    /** Takes gateways behind a proxy that inspects TLS. */
    allowProxies: z.boolean().default(false),
  }),
  forward: forwardShape,
  audit: auditShape,
  log: logShape,
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
        "listen: where gateways dial in. advertise: what enrolment codes for gateways name, where that is another address.\n" +
        "allowProxies: true takes gateways behind a proxy that inspects TLS.",
    },
    firstAudit,
    firstLog,
  ];
}
