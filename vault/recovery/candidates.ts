import { wipeFields } from "../../protocol/content/index.ts";
import { type LedgerStatus, recoveryOrder } from "../../protocol/rotation/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { accountAt, type CredentialVersion, credentialVersions, loadLedger, RegistryError } from "../registry/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { registryOf, type VaultCore } from "../streams/index.ts";
import { versionsPerLeaf } from "./limits.ts";

/** Why a version may be the live one. */
const reasons: Readonly<Record<LedgerStatus, string>> = {
  acknowledged: "last proven live",
  issued: "issued and not terminal: the edge may have sent it",
  rejected: "refused by the device's policy, as the edge was told",
  superseded: "history: a device that was reset or restored goes back to one of these",
};

/** Everything that may be live on the account's device, in the order to try, with what else a technician has to know. No value is opened. */
export async function candidatesOf(core: VaultCore, tx: VaultTransaction, path: string) {
  const account = await accountAt(tx, path);
  const ledger = await loadLedger(tx, account);
  const versions = new Map((await versionsOf(core, tx, account)).map((each) => [versionText(each), each]));
  const probes = await tx.selectFrom("probes").selectAll().where("account_id", "=", account.account_id).executeTakeFirst();
  return {
    path: account.path,
    username: account.username,
    unsettled: ledger?.unsettled === true,
    reported:
      account.reported_at === null
        ? null
        : { state: account.reported_state, code: account.reported_code, atMs: account.reported_at },
    edge: await edgeOf(tx, account),
    attempts: probes === undefined ? null : { spent: probes.spent, lastAtMs: probes.last_at },
    candidates: (ledger === null ? [] : recoveryOrder(ledger)).map(({ index: [epoch, number], status }) => {
      const version = versions.get(`${epoch}.${number}`);
      return {
        version: `${epoch}.${number}`,
        status,
        why: reasons[status],
        source: version?.source ?? "unknown",
        fieldNames: version?.fields.map(({ name }) => name) ?? [],
        createdAtMs: version?.createdAtMs ?? null,
        provenAtMs: version?.provenAtMs ?? null,
      };
    }),
  };
}

async function versionsOf(core: VaultCore, tx: VaultTransaction, account: AccountRow): Promise<CredentialVersion[]> {
  const versions = await credentialVersions(core, tx, account.account_id);
  for (const { fields } of versions) wipeFields(fields);
  return versions;
}

/** The edge that has the account, or null where none is enrolled. */
async function edgeOf(tx: VaultTransaction, account: AccountRow) {
  const [zone = ""] = account.path.split("/");
  const edge = await tx
    .selectFrom("nodes")
    .select(["name", "state", "last_heard_at", "joined_at"])
    .where("role", "=", nodeRole.edge)
    .where("zone", "=", zone)
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  return edge === undefined ? null : { name: edge.name, state: edge.state, lastHeardAtMs: edge.last_heard_at };
}

/** The values of these versions, or of all, in the order to try. Call it in a transaction: the leaves that name them stand before they leave. */
export async function revealVersions(
  core: VaultCore,
  tx: VaultTransaction,
  path: string,
  wanted: readonly string[] | null,
): Promise<{ version: string; status: string; fields: Record<string, string> }[]> {
  const account = await accountAt(tx, path);
  const ledger = await loadLedger(tx, account);
  const versions = await credentialVersions(core, tx, account.account_id);
  const byText = new Map(versions.map((each) => [versionText(each), each]));
  const order = (ledger === null ? [] : recoveryOrder(ledger)).map(({ index }) => index.join("."));
  const chosen = wanted === null ? order : order.filter((version) => wanted.includes(version));
  const missing = wanted?.find((version) => !order.includes(version));
  if (missing !== undefined) throw new RegistryError("REGISTRY_NOT_FOUND", `${path} has no version ${missing}`);
  const registry = await registryOf(core, tx);
  for (let from = 0; from < chosen.length; from += versionsPerLeaf) {
    const named = chosen.slice(from, from + versionsPerLeaf);
    await registry.audit(tx, {
      action: "credential.recover",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "account", id: account.path },
      outcome: "ok",
      details: { count: named.length, versions: named.join(" ") },
    });
  }
  const shown = chosen.map((version) => {
    const { status, fields = [] } = byText.get(version) ?? {};
    const values = fields.map(({ name, value }) => [name, Buffer.from(value).toString("base64")] as const);
    return { version, status: status ?? "unknown", fields: Object.fromEntries(values) };
  });
  for (const { fields } of versions) wipeFields(fields);
  return shown;
}

function versionText({ index: [epoch, number] }: CredentialVersion): string {
  return `${epoch}.${number}`;
}
