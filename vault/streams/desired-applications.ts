import { sameBytes } from "../../protocol/base/index.ts";
import type { AuthorityWindow, DesiredEntry } from "../../protocol/bundle/index.ts";
import { parsePath, parsePattern, patternMatches } from "../../protocol/content/index.ts";
import { openLeases, type RegistryContext } from "../registry/index.ts";
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
  readonly person: boolean;
  readonly grants: readonly Grant[];
  /** Those that have not ended. */
  readonly leases: readonly Lease[];
}

interface Grant {
  readonly text: string;
  readonly segments: readonly string[];
}

interface Lease extends Grant {
  readonly id: Uint8Array;
  readonly window: AuthorityWindow;
}

/** All applications, by name. */
export async function allApplications(context: RegistryContext, tx: VaultTransaction): Promise<ApplicationGrants[]> {
  const leases = await openLeases(context, tx);
  const rows = await tx.selectFrom("applications").selectAll().orderBy("name").execute();
  const grants = await tx.selectFrom("grants").selectAll().orderBy("pattern").execute();
  return rows.map((row) => ({
    entryId: row.app_id,
    name: row.name,
    tokenHash: row.token_hash,
    uid: row.uid,
    disabled: row.disabled === 1,
    nodeId: row.node_id,
    person: row.person === 1,
    leases: leases
      .filter((lease) => sameBytes(lease.app_id, row.app_id))
      .map((lease) => ({
        id: lease.lease_id,
        text: lease.pattern,
        segments: parsePattern(lease.pattern),
        window: { notBefore: lease.not_before, notAfter: lease.not_after },
      })),
    grants: grants
      .filter((grant) => sameBytes(grant.app_id, row.app_id))
      .map(({ pattern }) => ({ text: pattern, segments: parsePattern(pattern) })),
  }));
}

/** Those that this node serves. */
export function servedBy(applications: readonly ApplicationGrants[], node: NodeRow): ApplicationGrants[] {
  return applications.filter((each) => each.nodeId === null || sameBytes(each.nodeId, node.node_id));
}

/** True where one of them may read this account now, or will while one of its leases runs. */
export function isGranted(applications: readonly ApplicationGrants[], path: string): boolean {
  const segments = parsePath(path);
  return applications.some(
    (each) => !each.disabled && [...each.grants, ...each.leases].some((grant) => patternMatches(grant.segments, segments)),
  );
}

/** The application's entries, with these of its grants and leases. */
export function applicationEntries(
  context: RegistryContext,
  application: ApplicationGrants,
  { grants, leases }: Pick<ApplicationGrants, "grants" | "leases"> = application,
): DesiredEntry[] {
  const { entryId, name, tokenHash, uid, disabled, person } = application;
  const texts = grants.map(({ text }) => text);
  return [
    plainEntry(context, entryId, { kind: "application", name, tokenHash, uid, grants: texts, disabled, person }),
    ...leases.map(({ id, text, window }) => ({
      ...plainEntry(context, id, { kind: "lease", applicationId: entryId, pattern: text }),
      authority: window,
    })),
  ];
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
    const reaching = ({ segments }: Grant) => split.some((path) => patternMatches(segments, path));
    const [grants, leases] = [each.grants.filter(reaching), each.leases.filter(reaching)];
    return grants.length + leases.length === 0 ? [] : applicationEntries(context, each, { grants, leases });
  });
}
