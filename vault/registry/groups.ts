import { sameBytes } from "../../protocol/base/index.ts";
import { isSegment } from "../../protocol/content/index.ts";
import { maxGroupMembers } from "../../protocol/rotation/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { Problems, RegistryError } from "./codes.ts";
import { accountAt } from "./devices.ts";
import type { RegistryContext } from "./registry-context.ts";

/** Accounts that change together. */
export interface Group {
  readonly name: string;
  readonly zone: string;
  /** Paths, ascending. */
  readonly members: readonly string[];
}

/**
 * Puts accounts of one edge into a group: its edge changes them one after the other, and none before all are ready. Throws
 * REGISTRY_INVALID, REGISTRY_EXISTS, REGISTRY_NOT_FOUND, REGISTRY_GROUP_ACROSS_EDGES.
 */
export async function addGroup(
  context: RegistryContext,
  tx: VaultTransaction,
  { name, paths }: { readonly name: string; readonly paths: readonly string[] },
): Promise<Group> {
  const problems = new Problems();
  const distinct = [...new Set(paths)].sort();
  if (!isSegment(name)) problems.add("name", "text", "[a-z0-9][a-z0-9._-]{0,62}");
  if (distinct.length < 2 || distinct.length > maxGroupMembers)
    problems.add("paths", `${distinct.length} accounts`, `2 to ${maxGroupMembers}`);
  problems.refuse(`group ${name}`);
  const taken = await tx.selectFrom("groups").select("name").where("name", "=", name).executeTakeFirst();
  if (taken !== undefined) {
    throw new RegistryError("REGISTRY_EXISTS", `there is a group ${name} already`, {
      hint: `'tidegate group list' shows it; 'tidegate group remove ${name}' first, to make it anew.`,
    });
  }
  const members = await Promise.all(distinct.map((path) => accountAt(tx, path)));
  const zones = new Set(members.map(({ path }) => zoneOf(path)));
  const [zone = ""] = zones;
  if (zones.size > 1) {
    throw new RegistryError("REGISTRY_GROUP_ACROSS_EDGES", `${[...zones].join(" and ")} have an edge each`, {
      hint: "Members of a group are accounts of one zone; whoever reads them may be anywhere.",
    });
  }
  for (const member of members) refuseMember(name, member);
  const group_id = context.random(16);
  await tx.insertInto("groups").values({ group_id, name, zone, created_at: context.nowMs() }).execute();
  for (const member of members) await setGroup(context, tx, member, group_id);
  return { name, zone, members: distinct };
}

/** All groups, by name. */
export async function listGroups(tx: VaultTransaction): Promise<Group[]> {
  const rows = await tx.selectFrom("groups").selectAll().orderBy("name").execute();
  const members = await tx.selectFrom("accounts").select(["path", "group_id"]).orderBy("path").execute();
  return rows.map(({ name, zone, group_id }) => ({
    name,
    zone,
    members: members.filter((each) => each.group_id !== null && sameBytes(each.group_id, group_id)).map(({ path }) => path),
  }));
}

/** Dissolves a group; what its members have they keep. Returns its zone. Throws REGISTRY_NOT_FOUND. */
export async function removeGroup(context: RegistryContext, tx: VaultTransaction, name: string): Promise<string> {
  const row = await tx.selectFrom("groups").selectAll().where("name", "=", name).executeTakeFirst();
  if (row === undefined) {
    throw new RegistryError("REGISTRY_NOT_FOUND", `there is no group ${name}`, {
      hint: "List them with 'tidegate group list'.",
    });
  }
  const members = await tx.selectFrom("accounts").selectAll().where("group_id", "=", row.group_id).execute();
  for (const member of members) await setGroup(context, tx, member, null);
  await tx.deleteFrom("groups").where("group_id", "=", row.group_id).execute();
  return row.zone;
}

function refuseMember(name: string, { path, rotate, group_id, break_glass }: AccountRow): void {
  const why =
    group_id !== null
      ? "is in another group"
      : break_glass === 1
        ? "is a break-glass account, which changes with no other"
        : rotate === "never"
          ? "is never rotated"
          : null;
  if (why !== null) throw new RegistryError("REGISTRY_INVALID", `group ${name} is refused: ${path} ${why}`);
}

async function setGroup(
  context: RegistryContext,
  tx: VaultTransaction,
  { account_id, path }: AccountRow,
  group_id: Uint8Array | null,
): Promise<void> {
  await tx.updateTable("accounts").set({ group_id }).where("account_id", "=", account_id).execute();
  await context.audit(tx, {
    action: "account.change",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: path },
    outcome: "ok",
    details: { field: "group" },
  });
}

function zoneOf(path: string): string {
  return path.split("/", 1)[0] ?? "";
}
