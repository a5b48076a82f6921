import { z } from "zod";
import {
  type AuditEvent,
  type DetailsOf,
  decodeCheckpoint,
  type LogHead,
  type LogName,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import { AuditLogError } from "../audit/index.ts";
import { custody } from "./custody-shape.ts";
import { type Custody, parties } from "./medium.ts";

/** A value now (a synchronous store) or later (the vault's). */
type Awaitable<T> = T | Promise<T>;

/** What an export needs of a node's log. */
export interface ExportSource {
  readonly name: LogName;
  /** Entries in the log. */
  size(): Awaitable<number>;
  /** Where the log's plain files lie and how many entries their checkpoint covers; null where nobody keeps them. */
  files(): { readonly folder: string; readonly size: number | null } | null;
  /** Milliseconds since 1970; the upper end null where it is open. */
  time(): readonly [lo: number, hi: number | null];
  about(): Awaitable<{ readonly nodeName: string; readonly role: string; readonly vaultId: string }>;
  /** Appends the events and ends the epoch over them: the checkpoint, which the plain files then hold; null where the log has stopped. */
  seal(events: readonly AuditEvent[]): Promise<Uint8Array | null>;
  /** The newest head of this log that another party holds. */
  anchor(): Awaitable<LogHead | null>;
  /** Consistency proof between two sizes of the log. */
  proof(from: number, size: number): Awaitable<readonly Uint8Array[]>;
  /** Heads of other nodes' logs under this node's witness key: notes by node and serial. */
  cosigned(): Awaitable<readonly { readonly name: string; readonly note: Uint8Array }[]>;
  append(event: AuditEvent): Awaitable<void>;
}

/** Answer of `POST /v1/audit/export`: what the command line writes to the medium beside the plain files. Bytes are base64. */
export interface ExportGrant {
  readonly folder: string;
  readonly trustDomain: string;
  readonly node: string;
  readonly nodeName: string;
  readonly role: string;
  readonly serial: number;
  readonly vaultId: string;
  readonly from: number;
  readonly size: number;
  readonly checkpoint: string;
  readonly time: readonly [lo: number, hi: number | null];
  readonly anchor: { readonly size: number; readonly root: string; readonly proof: readonly string[] } | null;
  readonly cosigned: readonly { readonly name: string; readonly note: string }[];
}

const count = z.int().min(0);
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);
const range = { from: count, size: count };

/**
 * The calls by which the command line exports a log: the first says in the log that it goes out, ends the key epoch over that, and tells what
 * to write; the second says how it ended.
 */
export function auditExportRoutes(source: ExportSource): AdminRoute[] {
  return [
    adminRoute({
      method: "POST",
      path: "/v1/audit/export",
      body: z.strictObject({ custody, since: count }),
      handle: ({ body }) => begin(source, body.custody, body.since),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/audit/export/end",
      body: z.strictObject({
        custody,
        ...range,
        ended: z.union([z.strictObject({ bytes: count, readBackFrom: z.enum(["medium", "cache"]) }), z.strictObject({ code })]),
      }),
      async handle({ body }) {
        const { ended, from } = body;
        const how = "code" in ended ? ({ outcome: "failed", code: ended.code } as const) : ({ outcome: "ok" } as const);
        const details = { from, size: body.size, ...("code" in ended ? {} : ended) };
        await source.append({ ...exportEvent(body.custody, details), ...how });
        return {};
      },
    }),
  ];
}

async function begin(source: ExportSource, carried: Custody, since: number): Promise<ExportGrant> {
  const { name } = source;
  if (source.files() === null) throw new AuditLogError("AUDIT_EXPORT_BEHIND", "this node keeps no plain files of its log");
  const from = Math.floor(since / tileWidth) * tileWidth;
  const size = await source.size();
  if (since > size) throw new AuditLogError("AUDIT_EXPORT_RANGE", `the log has ${size} entries, none from ${since} on`);
  const note = await source.seal([exportEvent(carried, { from })]);
  if (note === null) throw new AuditLogError("AUDIT_EXPORT_BEHIND", "the log has stopped: nothing can be sealed any more");
  const { size: sealed } = decodeCheckpoint(note);
  const files = source.files();
  if (files === null || files.size !== sealed) {
    throw new AuditLogError("AUDIT_EXPORT_BEHIND", "the plain files of the log are behind it", {
      hint: "Is there room in the data folder? The node's own log says why they could not be written.",
    });
  }
  const anchor = await source.anchor();
  return {
    folder: files.folder,
    trustDomain: name.trustDomain,
    node: name.node,
    ...(await source.about()),
    serial: name.serial,
    from,
    size: sealed,
    checkpoint: base64(note),
    time: source.time(),
    anchor:
      anchor === null
        ? null
        : { size: anchor.size, root: base64(anchor.root), proof: (await source.proof(anchor.size, sealed)).map(base64) },
    cosigned: (await source.cosigned()).map((one) => ({ name: one.name, note: base64(one.note) })),
  };
}

function exportEvent(carried: Custody, details: DetailsOf<"audit.export">): AuditEvent {
  const { medium, person } = carried;
  return {
    action: "audit.export",
    outcome: "unknown",
    ...parties(carried),
    details: {
      ...details,
      mediaId: medium.serial,
      label: medium.label,
      ...(medium.size === null ? {} : { mediaSize: medium.size }),
      ...(person === null ? {} : { person }),
    },
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
