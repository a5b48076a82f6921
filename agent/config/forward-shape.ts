import { z } from "zod";
import { isAddress } from "../address/index.ts";
import { filePath } from "./file-path.ts";

/** Collectors of one node: each has a connection, and reads the log once more. */
const maxTargets = 4;

/** What a file may grow to before it is rotated away, MiB: it lies on the disk that the node's own store needs. */
const defaultFileMib = 256;

const address = z.string().refine(isAddress, "host:port, an IPv6 address in brackets");

const common = {
  /** Names the target for ever: the position in the log is kept under it. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "1 to 32 of a-z, 0-9 and -"),
  format: z.enum(["rfc5424", "cef", "ocsf", "json"]),
  /** Where a new target begins: at the log's first leaf, or with what comes after. */
  from: z.enum(["start", "now"]).default("start"),
};

const target = z.discriminatedUnion(
  "to",
  [
    z.strictObject({
      ...common,
      to: z.literal("tls"),
      address,
      /** PEM file of the authorities that may vouch for the collector; no others count. */
      ca: filePath,
      /** The name in its certificate, where that is not the address's host. */
      serverName: z.string().min(1).max(253).nullable().default(null),
      /** PEM files of our own certificate and its key, for a collector that asks for one. */
      certificate: filePath.nullable().default(null),
      key: filePath.nullable().default(null),
    }),
    z.strictObject({ ...common, to: z.literal("tcp"), address }),
    z.strictObject({ ...common, to: z.literal("unix"), path: filePath }),
    z.strictObject({
      ...common,
      to: z.literal("file"),
      path: filePath,
      maxMib: z.int().min(1).max(65_536).default(defaultFileMib),
    }),
  ],
  { error: ({ code }) => (code === "invalid_union" ? "one of tls, tcp, unix, file" : undefined) },
);

/** One collector that events are forwarded to. */
export type ForwardTarget = z.infer<typeof target>;

/** The section `forward`: collectors that get a copy of the audit log. */
export const forwardShape = z
  .array(target)
  .max(maxTargets)
  .refine((targets) => new Set(targets.map(({ name }) => name)).size === targets.length, "a name of its own for each target")
  .refine(
    (targets) => targets.every((each) => each.to !== "tls" || (each.certificate === null) === (each.key === null)),
    "certificate and key together, or neither",
  )
  .default([]);
