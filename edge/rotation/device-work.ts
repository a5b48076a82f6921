import type { Store, View } from "../../agent/store/index.ts";
import {
  type AdapterHost,
  type DeviceCode,
  type DeviceJob,
  type DeviceModel,
  type Outcome,
  rejectedPolicy,
  valueProblem,
} from "../../firmware-adapters/index.ts";
import { assert } from "../../protocol/base/index.ts";
import type { Fields } from "../../protocol/content/index.ts";
import type { DeviceEffect, RotationEvent } from "../../protocol/rotation/index.ts";
import type { Account } from "./account.ts";
import type { Devices } from "./devices.ts";
import { helperFor, helperLogin, noteHelper } from "./helper.ts";
import { exchangeTimeoutMs } from "./limits.ts";
import { decodeValue, servedRef, tables, valueId } from "./record.ts";

/** The part of the adapter host that the engine uses. */
export type Adapters = Pick<AdapterHost, "run">;

/** An exchange with everything that it needs; its secrets are wiped when it is over. */
interface Exchange {
  /** Never rejects. */
  run(): Promise<Outcome>;
}

export interface ExchangeParts {
  readonly account: Account;
  readonly effect: DeviceEffect;
  /** Another account of the device may have to make the change. */
  readonly devices: Devices;
}

/** Runs one exchange; null where the writer has stopped, for what allowed it is perhaps not on the disk. */
export async function runExchange(
  parts: ExchangeParts,
  { store, adapters }: { readonly store: Store; readonly adapters: Adapters },
): Promise<Outcome | null> {
  return store.stopped === null ? await store.read((view) => prepareExchange(parts, view, adapters)).run() : null;
}

/** Reads what one exchange needs. Without a model, or without the account that makes the change, nothing is sent. */
function prepareExchange({ account, effect, devices }: ExchangeParts, view: View, adapters: Adapters): Exchange {
  const helper = helperFor(account, effect, devices.sharing(account));
  const { device, content } = account;
  const model = device?.model ?? null;
  if (device === null || content === null || model === null)
    return nothingSent("ADAPTER_UNKNOWN", "no model that this edge can use");
  const changes = effect.action === "prepare" || effect.action === "push";
  const helped = changes || effect.action === "save";
  if (helped && helper.kind === "missing")
    return nothingSent("SSH_HELPER_MISSING", "the account that makes the change is not known");
  if (helped && helper.kind === "refused")
    return nothingSent("SSH_HELPER_REFUSED", "the password of the account that makes the change was refused");
  const current = fieldsOf(account, effect.login, view);
  const next = changes ? fieldsOf(account, effect.ref, view) : null;
  const helpers = helped && helper.kind === "account" ? helperFields(account, effect, helper.account, view) : null;
  const job: DeviceJob = {
    target: { host: device.content.host, port: device.content.port, settings: device.settings },
    username: content.username,
    secrets: { current: asRecord(current), next: next === null ? null : asRecord(next) },
    helper: helpers === null || helper.kind !== "account" ? undefined : helperLogin(helper.account, asRecord(helpers)),
    model,
    ownUnknown: effect.by === "reconciler",
    identity: devices.pinned(device)?.identity ?? null,
    timeoutMs: exchangeTimeoutMs,
    // The machine debits one login an exchange; resolving a lost reply by a second one is its own probe.
    attempts: 1,
  };
  const state = account.record.request;
  return {
    async run() {
      try {
        const unfit = effect.action === "prepare" ? unfitField(model, job) : null;
        // What the model forbids is refused before a packet leaves; the adapter would say the same after connecting.
        if (unfit !== null) return rejectedPolicy("DEVICE_VALUE_UNFIT", unfit);
        assert(effect.action !== "push" || state !== null, "a push has its request");
        const outcome = await (effect.action === "push" && state !== null
          ? adapters.run(model.adapter, "push", { ...job, state })
          : adapters.run(model.adapter, effect.action, job));
        noteHelper(account, helper, outcome);
        return outcome;
      } finally {
        for (const { value } of [...current, ...(next ?? []), ...(helpers ?? [])]) value.fill(0);
      }
    },
  };
}

/** The first new secret that the model does not allow, and the rule; null where all fit. */
function unfitField(model: DeviceModel, { secrets }: DeviceJob): string | null {
  for (const [name, constraints] of Object.entries(model.secrets)) {
    const problem = valueProblem(constraints, secrets.next?.[name] ?? new Uint8Array(0));
    if (problem !== null) return `${name}: ${problem}`;
  }
  return null;
}

function nothingSent(code: DeviceCode, detail: string): Exchange {
  const outcome: Outcome = { kind: "NOT_SENT", code, detail, mayHaveSpentAttempt: false, prepareAgain: false };
  return { run: () => Promise.resolve(outcome) };
}

/** An admin account that changes itself logs in with what the machine says; any other with what it is served as. */
function helperFields(account: Account, effect: DeviceEffect, helper: Account, view: View): Fields {
  return fieldsOf(helper, helper === account ? effect.login : servedRef(helper.record.state), view);
}

/** An exchange's outcome as the machine takes it. */
export function answerOf({ action, ref }: DeviceEffect, outcome: Outcome): RotationEvent {
  return {
    kind: "answer",
    action,
    ref,
    outcome: outcome.kind,
    spent: outcome.mayHaveSpentAttempt,
    prepareAgain: outcome.kind !== "OK" && outcome.prepareAgain,
  };
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
