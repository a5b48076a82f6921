import type { VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";

/** Makes the zone where it is missing; true where it was. */
export async function ensureZone(tx: VaultTransaction, name: string, nowMs: number): Promise<boolean> {
  const made = await tx
    .insertInto("zones")
    .values({ name, created_at: nowMs })
    .onConflict((conflict) => conflict.column("name").doNothing())
    .returning("name")
    .executeTakeFirst();
  return made !== undefined;
}

/** Throws REGISTRY_NOT_FOUND where there is no such zone. */
export async function requireZone(tx: VaultTransaction, name: string): Promise<void> {
  const found = await tx.selectFrom("zones").select("name").where("name", "=", name).executeTakeFirst();
  if (found !== undefined) return;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no zone ${name}`, {
    hint: "A zone begins with the first node that is enrolled in it: tidegate vault enroll NAME --role edge --zone ZONE.",
  });
}
