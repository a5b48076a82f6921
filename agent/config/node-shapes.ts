import { z } from "zod";
import { accountSegments, isPattern } from "../../protocol/content/index.ts";
import { type Address, isAddress } from "../address/index.ts";
import { isException, type ProxySettings } from "../proxy/index.ts";
import { auditShape, firstAudit } from "./audit-shape.ts";
import type { ConfigEntry } from "./config.ts";
import { filePath } from "./file-path.ts";
import { forwardShape } from "./forward-shape.ts";
import { ways } from "./way.ts";

/** Silence of the vault that makes health red, seconds: a day on a wire; 45 days where media travel. */
const defaultStaleAfterS = 86_400;
const mediaStaleAfterS = 45 * 86_400;
/** How far the machine's own clock may run ahead of the last signed time and still be believed for windows. */
const defaultClockGapS = 3_600;

const port = z.int().min(0).max(65_535);

/** `host:port`, an IPv6 address in brackets. */
export const addressShape = z.string().refine(isAddress, "host:port, an IPv6 address in brackets");

const exception = z
  .string()
  .max(260)
  .refine(isException, "a host name, .domain, an IP address or a network such as 10.1.0.0/16");

/** The section `proxy`: what stands between this node and the one that it dials. */
const proxyShape = z
  .strictObject({
    address: addressShape.nullable().default(null),
    except: z.array(exception).max(64).default([]),
    inspectionCa: filePath.nullable().default(null),
  })
  .refine((proxy) => proxy.address !== null || proxy.inspectionCa !== null, "an address, an inspectionCa, or null for no proxy")
  .nullable()
  .default(null);

/** Zone, device and account: a pattern of more covers no account at all, and nothing would say so. */
const pattern = z
  .string()
  .max(512)
  .refine(
    (text) => isPattern(text) && text.split("/").length <= accountSegments,
    "a zone, a device or an account: a path pattern of at most three parts such as line-4, line-4/*/operator or line-4/**",
  );

/** The section `log`. */
export const logShape = z
  .strictObject({ level: z.enum(["debug", "info", "warn", "error", "silent"]).default("info") })
  .prefault({});

/** What every node that joins a vault is configured by: its local API, its clock, staleness and its own log. */
export const memberShape = {
  api: z
    .strictObject({
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
  proxy: proxyShape,
  forward: forwardShape,
  audit: auditShape,
  memoryOnly: z.array(pattern).max(64).default([]),
  way: z.enum(ways).default("both"),
  staleAfterS: z.int().min(60).max(31_536_000).default(defaultStaleAfterS),
  log: logShape,
};

/** What {@link memberShape} reads. */
export type MemberConfig = z.infer<z.ZodObject<typeof memberShape>>;

/** The section `log` of a first configuration. */
export const firstLog: ConfigEntry = {
  key: "log",
  value: { level: "info" },
  comment: "debug, info, warn, error or silent",
};

/** The local API of a first configuration; null leaves a listener out. */
export function firstApi({ loopback, tls }: { readonly loopback: Address | null; readonly tls: Address | null }): ConfigEntry {
  return {
    key: "api",
    value: {
      loopback: loopback === null ? null : { address: loopback.host, port: loopback.port },
      tls: tls === null ? null : { on: tls.host, port: tls.port, hosts: [] },
    },
    comment:
      "The local API: always the socket api.sock, for this node's own user; a loopback address without TLS;\n" +
      "tls: { on: an address of this machine or the name of a network interface, port, hosts }.",
  };
}

/** Proxy, clock, staleness and log of a first configuration, for a node that a wire or that only media reach. */
export const firstMemberEntries = (way: "wire" | "media", proxy: ProxySettings | null): readonly ConfigEntry[] => [
  {
    key: "proxy",
    value: proxy,
    comment:
      "null, or what stands in the way out: { address: an HTTP proxy as host:port or null, except: [hosts, .domains, networks],\n" +
      "inspectionCa: a PEM file with the authority of a proxy that inspects TLS, or null }. A login: tidegate ROLE proxy-login.",
  },
  {
    key: "clock",
    value: { trusted: false, gapS: defaultClockGapS },
    comment: "trusted: this machine has a clock that may be believed. gapS: how far ahead it may be otherwise.",
  },
  {
    key: "memoryOnly",
    value: [],
    comment: "path patterns of accounts whose values this node never writes to its disk: gone at each stop, asked for again",
  },
  {
    key: "way",
    value: "both",
    comment: "both; down: nothing leaves this segment but a stick now and then; up: nothing comes in but a stick now and then",
  },
  {
    key: "staleAfterS",
    value: way === "wire" ? defaultStaleAfterS : mediaStaleAfterS,
    comment: "silence of the vault that makes health red, seconds",
  },
  firstAudit,
  firstLog,
];
