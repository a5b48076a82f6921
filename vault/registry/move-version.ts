import type { CandidateIndex } from "../../protocol/rotation/index.ts";
import type { AccountRow, VaultTransaction } from "../store/index.ts";
import { fieldsPlace } from "./credentials.ts";
import type { RegistryContext } from "./registry-context.ts";

/** Gives a stored value another number, in the history: it was never under the old one at the edge. */
export async function moveVersion(
  context: Pick<RegistryContext, "seal" | "nowMs">,
  tx: VaultTransaction,
  account: AccountRow,
  { from, to }: { readonly from: CandidateIndex; readonly to: CandidateIndex },
): Promise<void> {
  const row = await tx
    .selectFrom("credentials")
    .selectAll()
    .where("account_id", "=", account.account_id)
    .where("epoch", "=", from[0])
    .where("number", "=", from[1])
    .executeTakeFirstOrThrow();
  const plaintext = context.seal.open(fieldsPlace(account.account_id, from), row.fields_sealed);
  await tx
    .updateTable("credentials")
    .set({
      epoch: to[0],
      number: to[1],
      status: "superseded",
      status_at: context.nowMs(),
      fields_sealed: context.seal.seal(fieldsPlace(account.account_id, to), plaintext),
    })
    .where("account_id", "=", account.account_id)
    .where("epoch", "=", from[0])
    .where("number", "=", from[1])
    .execute();
  plaintext.fill(0);
  // A gateway that was given it has it still.
  const given = await tx
    .selectFrom("exposures")
    .selectAll()
    .where("account_id", "=", account.account_id)
    .where("epoch", "=", from[0])
    .where("number", "=", from[1])
    .execute();
  for (const exposure of given)
    await tx
      .insertInto("exposures")
      .values({ ...exposure, epoch: to[0], number: to[1] })
      .execute();
}
