import { sameBytes } from "../../protocol/base/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import { parsePath, parsePattern, patternMatches } from "../../protocol/content/index.ts";
import type { RegistryContext } from "../registry/index.ts";
import type { NodeRow, VaultTransaction } from "../store/index.ts";
import { plainEntry } from "./plain-entry.ts";

/** An application with its grants read once. */
export interface ApplicationGrants {
  readonly entryId: Uint8Array;
  readonly name: string;
  readonly tokenHash: Uint8Array | null;
  readonly uid: number | null;
  readonly disabled: boolean;
  readonly nodeId: Uint8Array | null;
  readonly grants: readonly { readonly text: string; readonly segments: readonly string[] }[];
}

/** All applications, by name. */
export async function allApplications(tx: VaultTransaction): Promise<ApplicationGrants[]> {
  const rows = await tx.selectFrom("applications").selectAll().orderBy("name").execute();
  const grants = await tx.selectFrom("grants").selectAll().orderBy("pattern").execute();
  return rows.map((row) => ({
    entryId: row.app_id,
    name: row.name,
    tokenHash: row.token_hash,
    uid: row.uid,
    disabled: row.disabled === 1,
    nodeId: row.node_id,
    grants: grants
      .filter((grant) => sameBytes(grant.app_id, row.app_id))
      .map(({ pattern }) => ({ text: pattern, segments: parsePattern(pattern) })),
  }));
}

/** Those that this node serves. */
export function servedBy(applications: readonly ApplicationGrants[], node: NodeRow): ApplicationGrants[] {
  return applications.filter((each) => each.nodeId === null || sameBytes(each.nodeId, node.node_id));
}

/** True where one of them may read this account now. */
export function isGranted(applications: readonly ApplicationGrants[], path: string): boolean {
  const segments = parsePath(path);
  return applications.some((each) => !each.disabled && each.grants.some((grant) => patternMatches(grant.segments, segments)));
}

/** The application's entry with these of its grants. */
export function applicationEntry(
  context: RegistryContext,
  application: ApplicationGrants,
  grants: ApplicationGrants["grants"],
): DesiredEntry {
  const { entryId, name, tokenHash, uid, disabled } = application;
  const texts = grants.map(({ text }) => text);
  return plainEntry(context, entryId, { kind: "application", name, tokenHash, uid, grants: texts, disabled });
}

/** Applications that an edge serves, with those of their grants only that reach one of `paths`. */
export function localApplications(
  context: RegistryContext,
  applications: readonly ApplicationGrants[],
  paths: readonly string[],
): DesiredEntry[] {
  if (applications.length === 0) return [];
  const split = paths.map((path) => parsePath(path));
  return applications.flatMap((each) => {
    const reaching = each.grants.filter(({ segments }) => split.some((path) => patternMatches(segments, path)));
    return reaching.length === 0 ? [] : [applicationEntry(context, each, reaching)];
  });
}
