import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { makeFields, wipeFields } from "../../protocol/content/index.ts";
import {
  accountAt,
  type CredentialVersion,
  credentialVersions,
  currentVersion,
  RegistryError,
  setCredential,
} from "../registry/index.ts";
import type { AccountRow } from "../store/index.ts";
import { registryOf } from "../streams/index.ts";
import { type AdminContext, change, changeOfAccount } from "./admin-context.ts";
import { base64, path } from "./input-shapes.ts";

const byPath = z.strictObject({ path });
const given = z.strictObject({
  path,
  /** Named secrets, base64. */
  fields: z.record(z.string().max(32), base64).refine((fields) => Object.keys(fields).length <= 8, "at most 8 fields"),
});
const shown = z.strictObject({
  path,
  /** A version to show, as history names it; the current one where it is absent. */
  version: z
    .string()
    .regex(/^\d{1,15}\.\d{1,15}$/, "epoch.number")
    .optional(),
});

/** Credentials: setting, showing and their history. Only `reveal` answers with a value, and its leaf stands before it does. */
export function credentialRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "PUT",
      path: "/v1/credentials",
      body: given,
      handle: async ({ body }) => {
        const fields = makeFields(
          Object.entries(body.fields).map(([name, text]) => [name, new Uint8Array(Buffer.from(text, "base64"))]),
        );
        try {
          const [epoch, number] = await change(
            context,
            { ...changeOfAccount(body.path), mayWait: true },
            async (registry, tx) => setCredential(registry, tx, await accountAt(tx, body.path), fields),
          );
          return { path: body.path, version: `${epoch}.${number}` };
        } finally {
          wipeFields(fields);
        }
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/credentials",
      query: byPath,
      handle: ({ query }) =>
        core.store.read(async (tx) => {
          const account = await accountAt(tx, query.path);
          const current = await currentVersion(core, tx, account);
          wipeFields(current.fields);
          return { ...describeAccount(account), ...describe(current) };
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/credentials/history",
      query: byPath,
      handle: ({ query }) =>
        core.store.read(async (tx) => {
          const account = await accountAt(tx, query.path);
          const versions = await credentialVersions(core, tx, account.account_id);
          for (const { fields } of versions) wipeFields(fields);
          return { ...describeAccount(account), versions: versions.map(describe) };
        }),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/credentials/reveal",
      body: shown,
      handle: ({ body }) => reveal(context, body),
    }),
  ];
}

/** A transaction, not a read: the leaf is durable before the value leaves. */
async function reveal(context: AdminContext, wanted: z.infer<typeof shown>) {
  const { core } = context;
  return core.store.transaction(async (tx) => {
    const account = await accountAt(tx, wanted.path);
    const versions = await credentialVersions(core, tx, account.account_id);
    const found = versions.find((version) =>
      wanted.version === undefined ? version.status === "acknowledged" : versionText(version) === wanted.version,
    );
    if (found === undefined) {
      throw new RegistryError("REGISTRY_NOT_FOUND", `${wanted.path} has no version ${wanted.version ?? "in use"}`, {
        hint: `List them with 'tidegate credential history ${wanted.path}'.`,
      });
    }
    const [epoch, number] = found.index;
    const registry = await registryOf(core, tx);
    await registry.audit(tx, {
      action: "credential.show",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "account", id: account.path },
      outcome: "ok",
      details: { epoch, number, history: found.status !== "acknowledged" },
    });
    const fields = Object.fromEntries(found.fields.map(({ name, value }) => [name, Buffer.from(value).toString("base64")]));
    for (const version of versions) wipeFields(version.fields);
    return { ...describeAccount(account), ...describe(found), fields };
  });
}

function describeAccount(account: AccountRow) {
  return { path: account.path, username: account.username };
}

function describe(version: CredentialVersion) {
  return {
    version: versionText(version),
    status: version.status,
    source: version.source,
    fieldNames: version.fields.map(({ name }) => name),
    createdAtMs: version.createdAtMs,
    provenAtMs: version.provenAtMs,
    provenBy: version.provenBy,
    statusAtMs: version.statusAtMs,
  };
}

function versionText({ index: [epoch, number] }: CredentialVersion): string {
  return `${epoch}.${number}`;
}
