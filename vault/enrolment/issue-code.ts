import { parseAddress } from "../../agent/address/index.ts";
import { Secret, TidegateError, toHex, utf8 } from "../../protocol/base/index.ts";
import { isSegment } from "../../protocol/content/index.ts";
import { encodeEnrolmentCode } from "../../protocol/join/index.ts";
import { type NodeRole, newestRoot, nodeRole } from "../../protocol/trust/index.ts";
import { ensureZone, nodeNamed, Problems, RegistryError } from "../registry/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";
import { codeLifeMs, maxHosts, maxOpenCodes, mediaCodeLifeMs } from "./limits.ts";

export interface EnrolmentInput {
  readonly name: string;
  readonly role: "gateway" | "edge";
  readonly zone: string;
  /** Name of the gateway that an edge goes through; null for a gateway, and for an edge that reaches the vault itself. */
  readonly via: string | null;
  /** Where the new node dials: host:port. */
  readonly address: string | null;
  /** Names and addresses for the new node's certificate. */
  readonly hosts: readonly string[];
  /** The request goes by removable media: the code lives 30 days, and needs no address. */
  readonly media?: boolean;
}

export interface IssuedCode {
  /** The text to type at the new node; told once. */
  readonly text: Secret;
  readonly codeId: Uint8Array;
  readonly expiresAtMs: number;
}

/** Gives out a code for one node, good for an hour, or for 30 days by removable media. Throws REGISTRY_INVALID, REGISTRY_NOT_FOUND, REGISTRY_EXISTS. */
export async function issueCode(
  core: VaultCore,
  tx: VaultTransaction,
  input: EnrolmentInput,
  vaultAddress: string,
): Promise<IssuedCode> {
  const now = core.clock.wallMs();
  const via = input.via === null ? null : await nodeNamed(tx, input.via);
  const media = input.media === true;
  const known = async () => (via === null ? vaultAddress : lastAddressOf(tx, via.node_id));
  const address = input.address ?? (media ? null : await known());
  const expiresAtMs = now + (media ? mediaCodeLifeMs : codeLifeMs);
  refuseInvalid(input, address, via?.role ?? null);
  await refuseOtherRole(tx, input);
  await refuseSecondEdge(tx, input);
  const { count } = await tx
    .selectFrom("codes")
    .select((eb) => eb.fn.countAll<number>().as("count"))
    .where("burned_at", "is", null)
    .where("expires_at", ">", now)
    .executeTakeFirstOrThrow();
  if (Number(count) >= maxOpenCodes)
    throw new RegistryError("REGISTRY_INVALID", `${count} codes are open, at most ${maxOpenCodes}`);
  if (await ensureZone(tx, input.zone, now)) await auditZone(core, tx, input.zone);

  const codeId = core.random(16);
  const secret = core.random(16);
  const root = newestRoot(await core.trust.read(tx));
  const role = nodeRole[input.role];
  await tx
    .insertInto("codes")
    .values({
      code_id: codeId,
      secret_sealed: core.seal.seal(codePlace(codeId), secret),
      name: input.name,
      role,
      zone: input.zone,
      via: via?.node_id ?? null,
      address,
      root_version: root.document.version,
      root_id: root.id,
      hosts: JSON.stringify(input.hosts),
      created_at: now,
      expires_at: expiresAtMs,
      burned_at: null,
      request_hash: null,
      answer: null,
    })
    .execute();
  await core.log.append(tx, {
    action: "code.issue",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "code", id: toHex(codeId) },
    outcome: "ok",
    details: {
      role: input.role,
      name: input.name,
      notAfterMs: expiresAtMs,
      ...(input.via === null ? {} : { via: input.via }),
    },
  });
  const text = encodeEnrolmentCode({
    codeId,
    secret: new Secret(secret),
    rootVersion: root.document.version,
    rootId: root.id,
    role: role satisfies NodeRole,
    name: input.name,
    address: address ?? "",
  });
  secret.fill(0);
  return { text: new Secret(utf8(text)), codeId, expiresAtMs };
}

/**
 * Gives out a code with which a node gets new keys under its own id; one that goes by `media` is good for as long as a first one by media. Throws REGISTRY_NOT_FOUND, REGISTRY_INVALID where the vault waits for
 * a root that raises its epoch.
 */
export async function issueRekeyCode(
  core: VaultCore,
  tx: VaultTransaction,
  { name, media }: { readonly name: string; readonly media: boolean },
): Promise<IssuedCode> {
  const node = await nodeNamed(tx, name);
  if (node.state === "behind") {
    throw new RegistryError("REGISTRY_INVALID", `nothing is issued to ${name} before the vault epoch is raised`, {
      hint: "tidegate vault raise-epoch",
    });
  }
  const before = await tx
    .selectFrom("codes")
    .select("hosts")
    .where("name", "=", name)
    .where("burned_at", "is not", null)
    .orderBy("created_at", "desc")
    .executeTakeFirst();
  const via =
    node.via === null ? null : await tx.selectFrom("nodes").select("name").where("node_id", "=", node.via).executeTakeFirst();
  const input: EnrolmentInput = {
    name,
    role: node.role === nodeRole.gateway ? "gateway" : "edge",
    zone: node.zone,
    via: via?.name ?? null,
    address: node.address,
    hosts: JSON.parse(before?.hosts ?? "[]") as string[],
    media: media || node.address === null,
  };
  const issued = await issueCode(core, tx, input, node.address ?? "");
  await tx
    .insertInto("settings")
    .values({ name: rekeySetting(issued.codeId), value: node.node_id })
    .execute();
  return issued;
}

/** The setting that names the node (id) for which a code makes new keys; codes of new nodes have none. */
export function rekeySetting(codeId: Uint8Array): string {
  return `rekey/${toHex(codeId)}`;
}

/** Where a code's secret stands. */
export function codePlace(codeId: Uint8Array) {
  return { table: "codes", row: codeId, column: "secret" };
}

function refuseInvalid(input: EnrolmentInput, address: string | null, viaRole: number | null): void {
  const problems = new Problems();
  const segment = "[a-z0-9][a-z0-9._-]{0,62}";
  for (const key of ["name", "zone"] as const) if (!isSegment(input[key])) problems.add(key, "text", segment);
  if (input.role === "gateway" && input.via !== null) problems.add("via", "text", "nothing: a gateway dials the vault");
  if (viaRole !== null && viaRole !== nodeRole.gateway) problems.add("via", "an edge", "a gateway");
  if (address === null && input.media === true) return problems.refuse(`enrolment of ${input.name}`);
  if (address === null) problems.add("address", "nothing", "host:port where the gateway listens for edges");
  else if (!isAddress(address)) problems.add("address", "text", "host:port");
  if (input.hosts.length > maxHosts) problems.add("hosts", `list of ${input.hosts.length}`, `at most ${maxHosts} entries`);
  problems.refuse(`enrolment of ${input.name}`);
}

/** A node enrolled under a name takes the place of the one that bears it, with all that goes through that one. */
async function refuseOtherRole(tx: VaultTransaction, { name, role }: EnrolmentInput): Promise<void> {
  const other = await tx
    .selectFrom("nodes")
    .select("name")
    .where("name", "=", name)
    .where("role", "<>", nodeRole[role])
    .where("state", "<>", "replaced")
    .executeTakeFirst();
  if (other === undefined) return;
  throw new RegistryError("REGISTRY_EXISTS", `${name} is the name of a node of another kind`, { hint: "Choose another name." });
}

/** Two edges of one zone would rotate the same devices behind each other's back. */
async function refuseSecondEdge(tx: VaultTransaction, input: EnrolmentInput): Promise<void> {
  if (input.role !== "edge") return;
  const other = await tx
    .selectFrom("nodes")
    .select("name")
    .where("role", "=", nodeRole.edge)
    .where("zone", "=", input.zone)
    .where("state", "<>", "replaced")
    .where("name", "<>", input.name)
    .executeTakeFirst();
  if (other === undefined) return;
  throw new RegistryError("REGISTRY_EXISTS", `zone ${input.zone} has the edge ${other.name}`, {
    hint: "A zone has one edge. Enrol it anew under its own name to replace it.",
  });
}

async function lastAddressOf(tx: VaultTransaction, gatewayId: Uint8Array): Promise<string | null> {
  const row = await tx
    .selectFrom("codes")
    .select("address")
    .where("via", "=", gatewayId)
    .orderBy("created_at", "desc")
    .executeTakeFirst();
  return row?.address ?? null;
}

async function auditZone(core: VaultCore, tx: VaultTransaction, name: string): Promise<void> {
  const subject = { kind: "zone", id: name } as const;
  await core.log.append(tx, {
    action: "zone.add",
    actor: { kind: "operator", id: "local" },
    subject,
    outcome: "ok",
    details: { name },
  });
}

function isAddress(text: string): boolean {
  try {
    parseAddress(text);
    return true;
  } catch (error) {
    if (error instanceof TidegateError) return false;
    throw error;
  }
}
