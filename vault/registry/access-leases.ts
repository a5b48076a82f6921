import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { parsePath, parsePattern, patternMatches } from "../../protocol/content/index.ts";
import type { AccessLeaseRow, VaultTransaction } from "../store/index.ts";
import { applicationNamed } from "./applications.ts";
import { RegistryError } from "./codes.ts";
import { leasesPerApplication, orderAfterLeaseS } from "./limits.ts";
import { giveOrder } from "./orders.ts";
import type { RegistryContext } from "./registry-context.ts";

export interface LeaseInput {
  readonly application: string;
  readonly pattern: string;
  readonly forS: number;
}

/** A lease, and the accounts that are rotated when it ends. */
export interface GrantedLease {
  readonly lease: AccessLeaseRow;
  readonly rotated: readonly string[];
}

/**
 * Lets an application read what the pattern covers until the lease ends. The rotation that follows lies at the edge from now on, as an
 * order that begins then: the end needs no vault. Throws REGISTRY_NOT_FOUND, REGISTRY_INVALID, CONTENT_PATTERN_INVALID.
 */
export async function grantLease(context: RegistryContext, tx: VaultTransaction, input: LeaseInput): Promise<GrantedLease> {
  const pattern = parsePattern(input.pattern);
  const application = await applicationNamed(tx, input.application);
  const open = (await openLeases(context, tx)).filter(({ app_id }) => Buffer.compare(app_id, application.app_id) === 0);
  if (open.length >= leasesPerApplication) {
    throw new RegistryError(
      "REGISTRY_INVALID",
      `${input.application} has ${open.length} leases, at most ${leasesPerApplication}`,
      {
        hint: "End some with 'tidegate lease revoke'.",
      },
    );
  }
  const now = Math.floor(context.nowMs() / 1000);
  const lease: AccessLeaseRow = {
    lease_id: context.random(16),
    app_id: application.app_id,
    pattern: input.pattern,
    not_before: now,
    not_after: now + input.forS,
    revoked_at: null,
    created_at: context.nowMs(),
  };
  await tx.insertInto("access_leases").values(lease).execute();
  await context.audit(tx, {
    action: "lease.open",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "application", id: input.application },
    outcome: "ok",
    details: { leaseId: toHex(lease.lease_id), notAfterMs: lease.not_after * 1000 },
  });
  const accounts = await tx.selectFrom("accounts").select("path").where("rotate", "<>", "never").orderBy("path").execute();
  const rotated: string[] = [];
  for (const { path } of accounts) {
    if (patternMatches(pattern, parsePath(path)) && (await orderAtEnd(context, tx, path, input.forS, lease)))
      rotated.push(path);
  }
  return { lease, rotated };
}

/** Ends a lease now: the application reads no more, and the rotation begins. Throws REGISTRY_NOT_FOUND. */
export async function revokeLease(context: RegistryContext, tx: VaultTransaction, leaseId: Uint8Array): Promise<void> {
  const lease = await tx.selectFrom("access_leases").selectAll().where("lease_id", "=", leaseId).executeTakeFirst();
  const now = Math.floor(context.nowMs() / 1000);
  if (lease === undefined || lease.revoked_at !== null || lease.not_after < now) {
    throw new RegistryError("REGISTRY_NOT_FOUND", "there is no such lease, or it has ended", {
      hint: "List them with 'tidegate lease list'.",
    });
  }
  await tx.updateTable("access_leases").set({ revoked_at: context.nowMs() }).where("lease_id", "=", leaseId).execute();
  await tx
    .updateTable("orders")
    .set({ not_before: now, not_after: now + orderAfterLeaseS })
    .where("lease_id", "=", leaseId)
    .where("state", "=", "open")
    .execute();
  await context.audit(tx, {
    action: "lease.revoke",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "lease", id: toHex(leaseId) },
    outcome: "ok",
    details: { leaseId: toHex(leaseId), reason: "operator" },
  });
}

/** Leases that run or begin later. */
export async function openLeases(context: Pick<RegistryContext, "nowMs">, tx: VaultTransaction): Promise<AccessLeaseRow[]> {
  return tx
    .selectFrom("access_leases")
    .selectAll()
    .where("revoked_at", "is", null)
    .where("not_after", ">=", Math.floor(context.nowMs() / 1000))
    .orderBy("created_at")
    .execute();
}

/** False where the account cannot be rotated by order: it has no credential yet, or no edge. */
async function orderAtEnd(
  context: RegistryContext,
  tx: VaultTransaction,
  path: string,
  afterS: number,
  { lease_id: leaseId }: AccessLeaseRow,
): Promise<boolean> {
  try {
    await giveOrder(context, tx, { path, action: "rotate", cause: "lease-end", afterS, withinS: orderAfterLeaseS, leaseId });
    return true;
  } catch (error) {
    if (error instanceof TidegateError && error.fault === "operator") return false;
    throw error;
  }
}
