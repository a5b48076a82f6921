import { hash } from "node:crypto";
import { concat, Secret, toBase32, utf8 } from "../../protocol/base/index.ts";
import { contentLimits, isSegment, parsePattern } from "../../protocol/content/index.ts";
import type { ApplicationRow, VaultTransaction } from "../store/index.ts";
import { Problems, RegistryError } from "./codes.ts";
import type { RegistryContext } from "./registry-context.ts";

export interface ApplicationInput {
  readonly name: string;
  /** Peer uid on the Unix socket, or null. */
  readonly uid: number | null;
  /** The only node that serves it, or null. */
  readonly nodeId: Uint8Array | null;
  /** True where a person reads with its token. */
  readonly person: boolean;
}

const tokenBytes = 32;
const tokenPrefix = "tga_";

/** Registers an application; it can read nothing yet. Throws REGISTRY_INVALID, REGISTRY_EXISTS. */
export async function addApplication(context: RegistryContext, tx: VaultTransaction, input: ApplicationInput): Promise<void> {
  const problems = new Problems();
  if (!isSegment(input.name)) problems.add("name", "text", "[a-z0-9][a-z0-9._-]{0,62}");
  problems.refuse(`application ${input.name}`);
  const taken = await tx.selectFrom("applications").select("name").where("name", "=", input.name).executeTakeFirst();
  if (taken !== undefined) {
    throw new RegistryError("REGISTRY_EXISTS", `there is an application ${input.name} already`, {
      hint: `'tidegate app list' shows it; 'tidegate app token ${input.name}' gives it a new token.`,
    });
  }
  await tx
    .insertInto("applications")
    .values({
      app_id: context.random(16),
      name: input.name,
      node_id: input.nodeId,
      token_hash: null,
      uid: input.uid,
      disabled: 0,
      created_at: context.nowMs(),
      person: input.person ? 1 : 0,
    })
    .execute();
  await audit(context, tx, "application.add", input.name, { name: input.name, method: input.uid === null ? "token" : "uid" });
}

/** Lets an application read what `pattern` covers. True where it could not before. Throws CONTENT_PATTERN_INVALID. */
export async function grant(context: RegistryContext, tx: VaultTransaction, name: string, pattern: string): Promise<boolean> {
  parsePattern(pattern);
  const application = await applicationNamed(tx, name);
  const held = await tx.selectFrom("grants").select("pattern").where("app_id", "=", application.app_id).execute();
  if (held.some((each) => each.pattern === pattern)) return false;
  if (held.length >= contentLimits.grants) {
    throw new RegistryError("REGISTRY_INVALID", `${name} has ${held.length} grants, at most ${contentLimits.grants}`);
  }
  await tx.insertInto("grants").values({ app_id: application.app_id, pattern }).execute();
  await audit(context, tx, "application.grant", name, { pattern });
  return true;
}

/** Takes a grant back. Throws REGISTRY_NOT_FOUND. */
export async function revokeGrant(
  context: RegistryContext,
  tx: VaultTransaction,
  name: string,
  pattern: string,
): Promise<void> {
  const application = await applicationNamed(tx, name);
  const gone = await tx
    .deleteFrom("grants")
    .where("app_id", "=", application.app_id)
    .where("pattern", "=", pattern)
    .returning("pattern")
    .executeTakeFirst();
  if (gone === undefined) throw new RegistryError("REGISTRY_NOT_FOUND", `${name} has no grant ${pattern}`);
  await audit(context, tx, "application.revoke", name, { pattern });
}

/**
 * A new token in place of the old one: 256 random bits, told once, of which only SHA-256 over the text is stored. An unsalted hash is
 * enough for a value that nobody can guess.
 */
export async function issueToken(context: RegistryContext, tx: VaultTransaction, name: string): Promise<Secret> {
  const application = await applicationNamed(tx, name);
  const random = context.random(tokenBytes);
  const token = utf8(`${tokenPrefix}${toBase32(random)}`);
  await tx
    .updateTable("applications")
    .set({ token_hash: new Uint8Array(hash("sha256", token, "buffer")) })
    .where("app_id", "=", application.app_id)
    .execute();
  await audit(context, tx, "application.token", name, { name });
  const secret = new Secret(concat(token));
  for (const bytes of [random, token]) bytes.fill(0);
  return secret;
}

/** Ends an application's access, or lets it in again. */
export async function setDisabled(
  context: RegistryContext,
  tx: VaultTransaction,
  name: string,
  disabled: boolean,
): Promise<void> {
  const application = await applicationNamed(tx, name);
  await tx
    .updateTable("applications")
    .set({ disabled: disabled ? 1 : 0 })
    .where("app_id", "=", application.app_id)
    .execute();
  await audit(context, tx, "application.disable", name, { name });
}

/** Throws REGISTRY_NOT_FOUND. */
export async function applicationNamed(tx: VaultTransaction, name: string): Promise<ApplicationRow> {
  const row = await tx.selectFrom("applications").selectAll().where("name", "=", name).executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no application ${name}`, {
    hint: "List them with 'tidegate app list'.",
  });
}

async function audit(
  context: RegistryContext,
  tx: VaultTransaction,
  action: "application.add" | "application.grant" | "application.revoke" | "application.token" | "application.disable",
  name: string,
  details: object,
): Promise<void> {
  const subject = { kind: "application", id: name } as const;
  await context.audit(tx, { action, actor: { kind: "operator", id: "local" }, subject, outcome: "ok", details });
}
