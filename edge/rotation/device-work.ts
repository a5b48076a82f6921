import type { View } from "../../agent/store/index.ts";
import type { AdapterHost, DeviceJob, Outcome } from "../../firmware-adapters/index.ts";
import { assert } from "../../protocol/base/index.ts";
import type { Fields } from "../../protocol/content/index.ts";
import type { DeviceEffect } from "../../protocol/rotation/index.ts";
import type { Account } from "./account.ts";
import { exchangeTimeoutMs } from "./limits.ts";
import { decodeIdentity, decodeValue, tables, valueId } from "./record.ts";

/** The part of the adapter host that the engine uses. */
export type Adapters = Pick<AdapterHost, "run">;

/** An exchange with everything that it needs; its secrets are wiped when it is over. */
export interface Exchange {
  /** Never rejects. */
  run(): Promise<Outcome>;
}

/** Reads what one exchange needs. Without a model nothing is sent. */
export function prepareExchange(account: Account, effect: DeviceEffect, view: View, adapters: Adapters): Exchange {
  const { device, content } = account;
  const model = device?.model ?? null;
  if (device === null || content === null || model === null) return { run: () => Promise.resolve(noModel) };
  const changes = effect.action === "prepare" || effect.action === "push";
  const current = fieldsOf(account, effect.login, view);
  const next = changes ? fieldsOf(account, effect.ref, view) : null;
  const job: DeviceJob = {
    target: { host: device.content.host, port: device.content.port, settings: device.settings },
    username: content.username,
    secrets: { current: asRecord(current), next: next === null ? null : asRecord(next) },
    model,
    identity: pinnedIdentity(device.id, view)?.identity ?? null,
    timeoutMs: exchangeTimeoutMs,
    // The machine debits one login an exchange; resolving a lost reply by a second one is its own probe.
    attempts: 1,
  };
  const state = account.record.request;
  return {
    async run() {
      try {
        if (effect.action !== "push") return await adapters.run(model.adapter, effect.action, job);
        assert(state !== null, "a push has its request");
        return await adapters.run(model.adapter, "push", { ...job, state });
      } finally {
        for (const { value } of [...current, ...(next ?? [])]) value.fill(0);
      }
    },
  };
}

const noModel: Outcome = {
  kind: "NOT_SENT",
  code: "ADAPTER_UNKNOWN",
  detail: "no model that this edge can use",
  mayHaveSpentAttempt: false,
  prepareAgain: false,
};

/** The device's pinned identity, or null before its first proof; an identity of null means that its protocol has none. */
export function pinnedIdentity(deviceId: Uint8Array, view: View): { readonly identity: string | null } | null {
  const row = view.get(tables.device, deviceId);
  return row === null ? null : { identity: decodeIdentity(row) };
}

/** Copies of the value's secret fields; the caller wipes them. */
export function fieldsOf(account: Account, ref: number, view: View): Fields {
  const row = view.get(tables.value, valueId(account.id, ref));
  assert(row !== null, "a candidate's value is stored");
  const { fields } = decodeValue(row);
  row.fill(0);
  return fields;
}

function asRecord(fields: Fields): Readonly<Record<string, Uint8Array>> {
  return Object.fromEntries(fields.map(({ name, value }) => [name, value]));
}
