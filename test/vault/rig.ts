import { randomBytes } from "node:crypto";
import type { AuditEvent } from "../../protocol/audit/index.ts";
import { Secret, utf8 } from "../../protocol/base/index.ts";
import { makeFields } from "../../protocol/content/index.ts";
import { ColumnSeal } from "../../vault/master-key/index.ts";
import { addDevice, ensureZone, putModel, type RegistryContext } from "../../vault/registry/index.ts";
import type { AccountRow, VaultStore, VaultTransaction } from "../../vault/store/index.ts";

export const masterKey = new Uint8Array(32).fill(7);
export const random = (length: number) => new Uint8Array(randomBytes(length));

/** A context over fixed time that keeps its audit events. */
export function registryContext(events: AuditEvent[] = []): RegistryContext {
  return {
    seal: new ColumnSeal(new Secret(masterKey), random),
    random,
    nowMs: () => 1_900_000_000_000,
    vaultEpoch: 1,
    audit: async (_tx: VaultTransaction, event: AuditEvent) => {
      events.push(event);
    },
  };
}

export const passwordModel = {
  password: { kind: "text", minLength: 8, maxLength: 16, alphabet: "abcdefghijklmnopqrstuvwxyz0123456789" },
};

/** A store's first device `plant/pump` with one account `operator`. */
export async function plantPump(store: VaultStore, context: RegistryContext): Promise<AccountRow> {
  return store.transaction(async (tx) => {
    await ensureZone(tx, "plant", context.nowMs());
    await putModel(context, tx, { name: "generic", yaml: null, constraints: passwordModel });
    await addDevice(context, tx, {
      name: "pump",
      zone: "plant",
      model: "generic",
      host: "10.0.0.9",
      port: 161,
      settings: {},
      accounts: [
        { name: "operator", username: "operator", rotate: "on-demand", intervalS: null, windowless: false, breakGlass: false },
      ],
      timeZone: "UTC",
      windows: [],
    });
    return tx.selectFrom("accounts").selectAll().executeTakeFirstOrThrow();
  });
}

export const password = (text: string) => makeFields([["password", utf8(text)]]);
