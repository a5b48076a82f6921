import { hash } from "node:crypto";
import { utf8 } from "../../protocol/base/index.ts";
import { type Constraints, parseConstraints } from "../generation/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { parsedConstraints } from "./limits.ts";
import type { RegistryContext } from "./registry-context.ts";

/** What the command line read from a model file. */
export interface ModelInput {
  readonly name: string;
  /** The file's text where the model is a custom one, null for a published one. */
  readonly yaml: string | null;
  /** Untrusted; the constraints of the secret fields. */
  readonly constraints: unknown;
}

/**
 * Stores a model, or replaces the one of that name: values generated from now on meet the new constraints. Throws the GENERATION
 * codes for constraints that are not valid.
 */
export async function putModel(context: RegistryContext, tx: VaultTransaction, model: ModelInput): Promise<Constraints> {
  const constraints = parseConstraints(model.constraints);
  const values = { yaml: model.yaml, constraints: JSON.stringify(constraints), updated_at: context.nowMs() };
  const before = await tx
    .selectFrom("models")
    .select(["yaml", "constraints"])
    .where("name", "=", model.name)
    .executeTakeFirst();
  await tx
    .insertInto("models")
    .values({ id: modelId(model.name), name: model.name, ...values })
    .onConflict((conflict) => conflict.column("name").doUpdateSet(values))
    .execute();
  // Every device brings its model with it: only another one is news.
  if (before === undefined || before.yaml !== values.yaml || before.constraints !== values.constraints) {
    await context.audit(tx, {
      action: "model.add",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "model", id: model.name },
      outcome: "ok",
      details: { name: model.name },
    });
  }
  return constraints;
}

/** The constraints of a model's secret fields. Throws REGISTRY_NOT_FOUND. */
export async function modelConstraints(tx: VaultTransaction, name: string): Promise<Constraints> {
  const row = await tx.selectFrom("models").select("constraints").where("name", "=", name).executeTakeFirst();
  if (row === undefined) throw new RegistryError("REGISTRY_NOT_FOUND", `there is no model ${name}`);
  return parsedOnce(row.constraints);
}

/** By the text that they were stored as: a value is drawn for each account, and its model's constraints are mostly those of the one before. */
const parsed = new Map<string, Constraints>();

function parsedOnce(text: string): Constraints {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const constraints = parseConstraints(JSON.parse(text));
  if (parsed.size >= parsedConstraints) parsed.clear();
  parsed.set(text, constraints);
  return constraints;
}

/** A model's text; null for one that every version of Tidegate carries. Throws REGISTRY_NOT_FOUND. */
export async function storedModel(tx: VaultTransaction, name: string): Promise<{ name: string; yaml: string | null }> {
  const row = await tx.selectFrom("models").select(["name", "yaml"]).where("name", "=", name).executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no model ${name}`);
}

/** A model's entry id: the same name is the same entry, whichever vault process stored it. */
function modelId(name: string): Uint8Array {
  return new Uint8Array(hash("sha256", utf8(`tidegate/1 model ${name}`), "buffer")).slice(0, 16);
}
