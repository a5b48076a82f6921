import { z } from "zod";
import { type Random, sameBytes } from "../../protocol/base/index.ts";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import { AuditLogError, archiveProof, heldBundleHashes, wholeBundles } from "../audit/index.ts";
import { custody } from "./custody-shape.ts";
import { CustodyError } from "./errors.ts";
import { auditExportRoutes, copyEvent, copyShape, type ExportGrant, type ExportSource, grantCopy } from "./export-routes.ts";
import type { Custody } from "./medium.ts";

/** Answer of `POST /v1/audit/archive`. */
export interface ArchiveGrant extends ExportGrant {
  /** Entries before this one are freed once the medium is proven to hold them. */
  readonly until: number;
  /** Goes into the proof; base64. */
  readonly challenge: string;
}

/** An archive that was begun and waits for its proof. */
interface Begun {
  readonly from: number;
  readonly size: number;
  readonly until: number;
  readonly challenge: Uint8Array;
  readonly mediaId: string;
}

const count = z.int().min(0);

/** The calls by which the command line copies a log to a medium: for an auditor, or so that the node may forget what is old. */
export function auditCopyRoutes(source: ExportSource, random: Random): AdminRoute[] {
  return [...auditExportRoutes(source), ...auditArchiveRoutes(source, random)];
}

/**
 * The calls by which the command line moves the old part of a log to a medium. The node looks at no medium, so it frees only what it is
 * proven to have been read there: the second call answers the challenge of the first with what was read back.
 */
function auditArchiveRoutes(source: ExportSource, random: Random): AdminRoute[] {
  let begun: Begun | null = null;
  return [
    adminRoute({
      method: "POST",
      path: "/v1/audit/archive",
      body: z.strictObject({ custody, keep: count }),
      async handle({ body }): Promise<ArchiveGrant> {
        const made = await begin(source, body.custody, { keep: body.keep, challenge: random(32) });
        begun = made.begun;
        return made.grant;
      },
    }),
    adminRoute({
      method: "POST",
      path: "/v1/audit/archive/end",
      body: z.strictObject({
        custody,
        ...copyShape.range,
        ended: z.union([
          z.strictObject({
            ...copyShape.written,
            proof: z.string().regex(/^[0-9a-f]{64}$/),
            acceptCache: z.boolean(),
          }),
          copyShape.failed,
        ]),
      }),
      async handle({ body }) {
        const { ended, from, size } = body;
        const mine = begun;
        begun = null;
        if (mine === null || mine.from !== from || mine.size !== size || mine.mediaId !== body.custody.medium.serial)
          throw new CustodyError("CUSTODY_SESSION", "no such archive was begun here since the node started");
        const failed = (code: string) =>
          source.append({ ...copyEvent("audit.archive", body.custody, { from, size }), outcome: "failed", code });
        if ("code" in ended) {
          await failed(ended.code);
          return { held: await source.archive.held() };
        }
        const why = await whyUnproven(source, mine, ended);
        if (why !== null) {
          await failed("AUDIT_ARCHIVE_UNVERIFIED");
          throw new AuditLogError("AUDIT_ARCHIVE_UNVERIFIED", why, { hint: "Nothing was freed. Take another medium." });
        }
        const { bytes, readBackFrom } = ended;
        const details = { from, size, until: mine.until, bytes, readBackFrom };
        await source.archive.archive({ ...copyEvent("audit.archive", body.custody, details), outcome: "ok" }, mine.until);
        return { held: await source.archive.held() };
      },
    }),
  ];
}

async function begin(
  source: ExportSource,
  carried: Custody,
  { keep, challenge }: { readonly keep: number; readonly challenge: Uint8Array },
): Promise<{ begun: Begun; grant: ArchiveGrant }> {
  const { archive } = source;
  const [from, covered, size] = [await archive.held(), await archive.archivable(), await source.size()];
  const until = Math.min(covered, wholeBundles(Math.max(0, size - keep)));
  if (until <= from) {
    throw new AuditLogError(
      "AUDIT_ARCHIVE_NOTHING",
      `the node holds entries ${from} to ${size - 1}, of which ${Math.max(0, covered - from)} are vouched for by another party`,
      {
        hint: "Only whole bundles of 256 go that the vault, or for the vault's log a node, has proven. --keep says how many stay.",
      },
    );
  }
  const grant = await grantCopy(source, from, copyEvent("audit.archive", carried, { from, until }));
  const begun = { from, size: grant.size, until, challenge, mediaId: carried.medium.serial };
  return { begun, grant: { ...grant, until, challenge: Buffer.from(challenge).toString("base64") } };
}

/** Null where the medium is proven to hold what the node holds, bundle by bundle. */
async function whyUnproven(
  { archive }: ExportSource,
  { from, until, challenge }: Begun,
  ended: { readonly proof: string; readonly readBackFrom: string; readonly acceptCache: boolean },
): Promise<string | null> {
  if (ended.readBackFrom !== "medium" && !ended.acceptCache)
    return "the medium could only be read back through this machine's memory";
  const hashes = await heldBundleHashes((at, limit) => archive.leaves(at, limit), from, until);
  const proof = archiveProof(challenge, hashes);
  return sameBytes(proof, Buffer.from(ended.proof, "hex")) ? null : "what was read back is not what the node holds";
}
