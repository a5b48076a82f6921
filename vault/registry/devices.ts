import { isSegment, type RotatePolicy } from "../../protocol/content/index.ts";
import type { WeekWindow } from "../../protocol/time/index.ts";
import type { AccountRow, DeviceRow, VaultTransaction } from "../store/index.ts";
import { Problems, RegistryError } from "./codes.ts";
import { refuseTooManySettings, settingsText, windowsText } from "./device-settings.ts";
import { refuseMemoryOnly } from "./freshness-rules.ts";
import type { RegistryContext } from "./registry-context.ts";
import { requireZone } from "./zones.ts";

export interface AccountInput {
  /** Last segment of the path. */
  readonly name: string;
  readonly username: string;
  readonly rotate: RotatePolicy;
  /** Seconds; with `interval` only. */
  readonly intervalS: number | null;
  /** True where it may be rotated without knowing the time. */
  readonly windowless: boolean;
  readonly breakGlass: boolean;
}

export interface DeviceInput {
  readonly name: string;
  readonly zone: string;
  readonly model: string;
  readonly host: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  /** IANA name. */
  readonly timeZone: string;
  readonly windows: readonly WeekWindow[];
  readonly accounts: readonly AccountInput[];
}

const idLength = 16;
const fingerprintKeyLength = 32;

/** Registers a device with its accounts; touches nothing. Throws REGISTRY_INVALID, REGISTRY_EXISTS, REGISTRY_NOT_FOUND, REGISTRY_MEMORY_ONLY. */
export async function addDevice(context: RegistryContext, tx: VaultTransaction, input: DeviceInput): Promise<DeviceRow> {
  refuseInvalid(input);
  await requireZone(tx, input.zone);
  const taken = await tx
    .selectFrom("devices")
    .select("device_id")
    .where("zone", "=", input.zone)
    .where("name", "=", input.name)
    .executeTakeFirst();
  if (taken !== undefined) {
    const path = `${input.zone}/${input.name}`;
    throw new RegistryError("REGISTRY_EXISTS", `there is a device ${path} already`, {
      hint: `'tidegate device show ${path}' shows it, 'tidegate device set ${path}' corrects it.`,
    });
  }
  const device: DeviceRow = {
    device_id: context.random(idLength),
    name: input.name,
    zone: input.zone,
    model: input.model,
    host: input.host,
    port: input.port,
    settings: settingsText(input.settings),
    identity: null,
    time_zone: input.timeZone,
    windows: windowsText(input.windows),
    held: 0,
    created_at: context.nowMs(),
  };
  await tx.insertInto("devices").values(device).execute();
  await context.audit(tx, {
    action: "device.add",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "device", id: `${input.zone}/${input.name}` },
    outcome: "ok",
    details: { name: input.name, model: input.model, host: input.host, port: input.port },
  });
  for (const account of input.accounts) await addAccount(context, tx, device, account);
  return device;
}

/** All problems that need no look into the store. */
function refuseInvalid(input: DeviceInput): void {
  const problems = new Problems();
  const segment = "[a-z0-9][a-z0-9._-]{0,62}";
  if (!isSegment(input.name)) problems.add("name", "text", segment);
  const names = new Set<string>();
  for (const [i, account] of input.accounts.entries()) {
    const at = `accounts[${i}]`;
    if (!isSegment(account.name)) problems.add(`${at}.name`, "text", segment);
    if (names.has(account.name)) problems.add(`${at}.name`, "the same name twice", "each account once");
    names.add(account.name);
    if ((account.rotate === "interval") !== (account.intervalS !== null)) {
      problems.add(
        `${at}.intervalS`,
        account.intervalS === null ? "nothing" : "integer",
        "seconds with rotate: interval, and only there",
      );
    }
  }
  if (input.accounts.length === 0) problems.add("accounts", "list of 0", "at least 1 entry");
  problems.refuse(`device ${input.name}`);
  refuseTooManySettings(input.name, input.settings);
}

async function addAccount(
  context: RegistryContext,
  tx: VaultTransaction,
  device: DeviceRow,
  input: AccountInput,
): Promise<void> {
  const accountId = context.random(idLength);
  const path = `${device.zone}/${device.name}/${input.name}`;
  if (input.rotate !== "never") await refuseMemoryOnly(tx, { path, device_id: device.device_id }, "rotating it");
  const row: AccountRow = {
    account_id: accountId,
    device_id: device.device_id,
    path,
    username: input.username,
    rotate: input.rotate,
    interval_s: input.intervalS,
    windowless: input.windowless ? 1 : 0,
    fingerprint_key_sealed: context.seal.seal(fingerprintKeyPlace(accountId), context.random(fingerprintKeyLength)),
    epoch: context.vaultEpoch,
    next_number: 0,
    unsettled: 0,
    reported_by: null,
    reported_serial: null,
    reported_index: null,
    reported_state: null,
    reported_code: null,
    reported_at: null,
    break_glass: input.breakGlass ? 1 : 0,
    consumers: "ack-first",
    group_id: null,
    reconcile_by: null,
    rotate_on: 0,
    created_at: context.nowMs(),
  };
  await tx.insertInto("accounts").values(row).execute();
  await context.audit(tx, {
    action: "account.add",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "account", id: path },
    outcome: "ok",
    details: {
      username: input.username,
      rotate: input.rotate,
      ...(input.intervalS === null ? {} : { intervalMs: input.intervalS * 1000 }),
    },
  });
}

/** The account at `path`. Throws REGISTRY_NOT_FOUND. */
export async function accountAt(tx: VaultTransaction, path: string): Promise<AccountRow> {
  const row = await tx.selectFrom("accounts").selectAll().where("path", "=", path).executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no account ${path}`, {
    hint: "List them with 'tidegate device list'.",
  });
}

/** The account's fingerprint key, 32 bytes. */
export function fingerprintKeyOf(context: Pick<RegistryContext, "seal">, account: AccountRow): Uint8Array {
  return context.seal.open(fingerprintKeyPlace(account.account_id), account.fingerprint_key_sealed);
}

function fingerprintKeyPlace(accountId: Uint8Array) {
  return { table: "accounts", row: accountId, column: "fingerprint_key" };
}
