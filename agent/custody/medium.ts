import type { AuditEvent, DetailsOf } from "../../protocol/audit/index.ts";
import { compareBytes, toHex } from "../../protocol/base/index.ts";
import type { MediaFile } from "../../protocol/media/index.ts";
import { idDigits, idsPerLeaf } from "./limits.ts";

/** The medium and the person, as the command line saw them; whoever may call is the node's operator. */
export interface Custody {
  readonly medium: { readonly serial: string; readonly label: string; readonly size: number | null };
  /** Who is logged in where the command runs. */
  readonly login: string;
  /** Who carries the medium, where that is somebody else. */
  readonly person: string | null;
}

export interface Carriage {
  /** Hexadecimal. */
  readonly writeId: string;
  /** Who wrote the medium, as text. */
  readonly writer: string;
  readonly files: readonly Pick<MediaFile, "id" | "length">[];
}

/** The leaves that stand before something goes out or comes in: all of it is named. */
export function carriageLeaves(action: "media.write" | "media.read", custody: Custody, carriage: Carriage): AuditEvent[] {
  const { writeId, writer } = carriage;
  // In one order at both ends, so that the two logs read alike.
  const files = [...carriage.files].sort((a, b) => compareBytes(a.id, b.id));
  const { serial, label, size } = custody.medium;
  const details: DetailsOf<"media.write"> = {
    bytes: files.reduce((sum, { length }) => sum + length, 0),
    ids: idsOf(files, 0),
    items: files.length,
    label,
    mediaId: serial,
    ...(custody.person === null ? {} : { person: custody.person }),
    ...(size === null ? {} : { size }),
    writeId,
    writer,
  };
  const rest: AuditEvent[] = [];
  for (let from = idsPerLeaf; from < files.length; from += idsPerLeaf) {
    rest.push({
      action: "media.items",
      outcome: "unknown",
      ...parties(custody),
      details: { writeId, from, ids: idsOf(files, from) },
    });
  }
  return [{ action, outcome: "unknown", ...parties(custody), details }, ...rest];
}

/** Actor and subject of every leaf about a medium. */
export function parties({ login, medium }: Custody): Pick<AuditEvent, "actor" | "subject"> {
  return { actor: { kind: "operator", id: login }, subject: { kind: "media", id: medium.serial } };
}

function idsOf(files: Carriage["files"], from: number): string {
  return files
    .slice(from, from + idsPerLeaf)
    .map(({ id }) => toHex(id).slice(0, idDigits))
    .join(" ");
}
