import { z } from "zod";
import { type AuditEvent, type DetailsOf, decodeCheckpoint, type LogHead, type LogName } from "../../protocol/audit/index.ts";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import { type ArchiveSource, AuditLogError, wholeBundles } from "../audit/index.ts";
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
  readonly archive: ArchiveSource;
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

/** How a copy on a medium came out, as calls of the command line tell it. */
export const copyShape = {
  range: { from: count, size: count },
  written: { bytes: count, readBackFrom: z.enum(["medium", "cache"]) },
  failed: z.strictObject({ code }),
};

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
      async handle({ body }) {
        const size = await source.size();
        if (body.since > size)
          throw new AuditLogError("AUDIT_EXPORT_RANGE", `the log has ${size} entries, none from ${body.since} on`);
        const from = Math.max(wholeBundles(body.since), await source.archive.held());
        return grantCopy(source, from, copyEvent("audit.export", body.custody, { from }));
      },
    }),
    adminRoute({
      method: "POST",
      path: "/v1/audit/export/end",
      body: z.strictObject({
        custody,
        ...copyShape.range,
        ended: z.union([z.strictObject(copyShape.written), copyShape.failed]),
      }),
      async handle({ body }) {
        const { ended, from, size } = body;
        const how = "code" in ended ? ({ outcome: "failed", code: ended.code } as const) : ({ outcome: "ok" } as const);
        const details = { from, size, ...("code" in ended ? {} : ended) };
        await source.append({ ...copyEvent("audit.export", body.custody, details), ...how });
        return {};
      },
    }),
  ];
}

/** Seals the log over `event` and tells what to write of it from the entry `from` on. Throws AUDIT_EXPORT_BEHIND. */
export async function grantCopy(source: ExportSource, from: number, event: AuditEvent): Promise<ExportGrant> {
  const { name } = source;
  if (source.files() === null) throw new AuditLogError("AUDIT_EXPORT_BEHIND", "this node keeps no plain files of its log");
  const note = await source.seal([event]);
  if (note === null) throw new AuditLogError("AUDIT_EXPORT_BEHIND", "the log has stopped: nothing can be sealed any more");
  const { size } = decodeCheckpoint(note);
  const files = source.files();
  if (files === null || files.size !== size) {
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
    size,
    checkpoint: base64(note),
    time: source.time(),
    anchor:
      anchor === null
        ? null
        : { size: anchor.size, root: base64(anchor.root), proof: (await source.proof(anchor.size, size)).map(base64) },
    cosigned: (await source.cosigned()).map((one) => ({ name: one.name, note: base64(one.note) })),
  };
}

/** The leaf about a copy of the log, before it goes out. */
export function copyEvent(
  action: "audit.export" | "audit.archive",
  carried: Custody,
  details: DetailsOf<"audit.export">,
): AuditEvent {
  const { medium, person } = carried;
  return {
    action,
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
