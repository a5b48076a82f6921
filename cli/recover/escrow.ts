import { callAdmin } from "../../agent/admin/index.ts";
import { concat, fromHex, type Secret, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { type SealingKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { decodeEscrowList, type EscrowedAccount } from "../../protocol/rotation/index.ts";
import { openEscrow } from "../../protocol/seal/index.ts";
import { decodeRoot, signRoot } from "../../protocol/trust/index.ts";
import { counted, type Frame } from "../frame/index.ts";
import { accountsPerCall } from "./limits.ts";

interface EscrowAnswer {
  readonly nodeId: string;
  readonly name: string;
  readonly zone: string;
  readonly epoch: number;
  readonly seq: number;
  readonly context: string;
  readonly escrow: string;
}

interface EscrowsAnswer {
  readonly vaultId: string;
  readonly unsettled: readonly string[];
  readonly escrows: readonly EscrowAnswer[];
}

interface LearnedAnswer {
  readonly path: string | null;
  readonly learned: readonly string[];
  readonly forks: readonly string[];
}

/**
 * Opens with the recovery key what the edges escrowed, here, and tells the vault what is inside: the key itself never reaches the running
 * vault. Throws SEAL_OPEN_FAILED for a key that is not the root's, ADMIN_* and what the vault refuses.
 */
export async function recoverEscrow(frame: Frame, folder: string, recovery: Secret): Promise<void> {
  const { vaultId, escrows } = await listed(folder);
  const key = recovery.use(sealingKeyFromSeed);
  recovery.wipe();
  const progress = frame.progress("escrows", escrows.length);
  const results: (LearnedAnswer & { readonly node: string })[] = [];
  for (const [i, escrow] of escrows.entries()) {
    progress.update(i, escrow.name);
    for (const each of await tell(folder, vaultId, escrow, key)) results.push({ ...each, node: escrow.name });
  }
  progress.end();
  const { unsettled } = await listed(folder);
  frame.output.result({ escrows: escrows.length, accounts: results, unsettled }, () => [
    `${counted(escrows.length, "escrow")} opened`,
    ...results.flatMap(resultLine),
    ...(unsettled.length === 0
      ? ["every account may be issued to again"]
      : [`${counted(unsettled.length, "account")} still waiting for an edge: ${unsettled.slice(0, 10).join(", ")}`]),
  ]);
}

async function listed(folder: string): Promise<EscrowsAnswer> {
  return (await callAdmin(folder, { method: "GET", path: "/v1/escrows" })) as EscrowsAnswer;
}

function resultLine({ path, learned, forks, node }: LearnedAnswer & { node: string }): string[] {
  const name = path ?? `an account that this vault does not know (of ${node}): register its device anew`;
  if (learned.length + forks.length === 0 && path !== null) return [];
  const conflict = forks.length === 0 ? "" : `; another value than the vault's at ${forks.join(", ")}: both are kept`;
  return [`${name}: ${learned.length === 0 ? "nothing new" : `learned ${learned.join(", ")}`}${conflict}`];
}

async function tell(folder: string, vaultId: string, escrow: EscrowAnswer, key: SealingKey): Promise<LearnedAnswer[]> {
  const accounts = opened(vaultId, escrow, key);
  const { nodeId, epoch, seq } = escrow;
  const results: LearnedAnswer[] = [];
  for (let from = 0; from === 0 || from < accounts.length; from += accountsPerCall) {
    const batch = accounts.slice(from, from + accountsPerCall).map(({ accountId, current, values }) => ({
      accountId: toHex(accountId),
      current,
      values: values.map(({ index, fields }) => ({
        index,
        fields: Object.fromEntries(fields.map(({ name, value }) => [name, Buffer.from(value).toString("base64")])),
      })),
    }));
    const body = { nodeId, epoch, seq, accounts: batch, last: from + accountsPerCall >= accounts.length };
    results.push(...((await callAdmin(folder, { method: "POST", path: "/v1/escrows/learn", body })) as LearnedAnswer[]));
  }
  for (const { values } of accounts) for (const { fields } of values) for (const { value } of fields) value.fill(0);
  return results;
}

function opened(vaultId: string, escrow: EscrowAnswer, key: SealingKey): EscrowedAccount[] {
  const bytes = (text: string) => concat(Buffer.from(text, "base64"));
  const hex = (text: string) => fromHex(text) ?? new Uint8Array(0);
  const context = { vaultId: hex(vaultId), nodeId: hex(escrow.nodeId), reportContext: bytes(escrow.context) };
  const plaintext = openEscrow({ ...context, key, blob: bytes(escrow.escrow) });
  try {
    return decodeEscrowList(plaintext);
  } finally {
    plaintext.fill(0);
  }
}

/** Stops waiting for the escrow of a zone whose edge is gone for ever. */
export async function giveUpZone(frame: Frame, folder: string, zone: string): Promise<void> {
  const answer = (await callAdmin(folder, { method: "POST", path: "/v1/escrows/give-up", body: { zone } })) as {
    paths: string[];
  };
  frame.output.result(answer, ({ paths }) => `${paths.length} accounts of ${zone} wait for nothing any more`);
}

/**
 * Signs the next root with a higher vault epoch, as after a restore. Throws TRUST_ROOT_SIGNATURES where the key is not the root's, and
 * where the root asks for more than one.
 */
export async function raiseEpoch(frame: Frame, folder: string, rootSeed: Secret, keepTokens = false): Promise<void> {
  const answer = (await callAdmin(folder, { method: "GET", path: "/v1/root" })) as { root: string; vaultId: string };
  const document = decodeRoot(decodeEnvelope(concat(Buffer.from(answer.root, "base64"))).payload);
  const vaultId = fromHex(answer.vaultId);
  const { version, vaultEpoch } = document;
  const key = rootSeed.use(signingKeyFromSeed);
  rootSeed.wipe();
  const next = signRoot({ ...document, vaultId, version: version + 1, vaultEpoch: vaultEpoch + 1 }, [key]);
  const body = { root: Buffer.from(next).toString("base64"), keepTokens };
  const raised = (await callAdmin(folder, { method: "POST", path: "/v1/root", body })) as {
    readonly vaultEpoch: number;
    readonly voided: { readonly tokens: readonly string[] } | null;
  };
  const tokens = raised.voided?.tokens ?? [];
  frame.output.result(raised, ({ vaultEpoch: epoch }) => [
    `vault epoch ${epoch}: nothing is issued to a node before its escrow is learned; codes, leases and orders that stood open are void`,
    ...(tokens.length === 0 ? [] : [`new tokens: tidegate app token NAME, for ${tokens.join(", ")}`]),
    "next: the edges learn of it as they connect again and send what they hold; then: tidegate vault recover-escrow",
  ]);
}
