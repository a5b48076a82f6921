import type { WeekWindow } from "../../protocol/time/index.ts";
import type { AccountRow, DeviceRow, VaultTransaction } from "../store/index.ts";
import { RegistryError } from "./codes.ts";
import { refuseTooManySettings, settingsText, windowsText } from "./device-settings.ts";
import type { RegistryContext } from "./registry-context.ts";

/** Where a device is reached, and how it is spoken to. */
export interface DeviceReach {
  readonly host: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  /** What is left out stays. */
  readonly timeZone?: string | undefined;
  readonly windows?: readonly WeekWindow[] | undefined;
}

/** The account's device. */
export async function deviceOf(tx: VaultTransaction, account: Pick<AccountRow, "device_id">): Promise<DeviceRow> {
  return tx.selectFrom("devices").selectAll().where("device_id", "=", account.device_id).executeTakeFirstOrThrow();
}

/** The device `zone`/`name`. Throws REGISTRY_NOT_FOUND. */
export async function deviceAt(tx: VaultTransaction, zone: string, name: string): Promise<DeviceRow> {
  const row = await tx.selectFrom("devices").selectAll().where("zone", "=", zone).where("name", "=", name).executeTakeFirst();
  if (row !== undefined) return row;
  throw new RegistryError("REGISTRY_NOT_FOUND", `there is no device ${zone}/${name}`, {
    hint: "List them with 'tidegate device list'.",
  });
}

/**
 * Corrects where a device is reached and when it may be rotated; what is the same already changes nothing and leaves no leaf. The device stays the one that it is:
 * its accounts, and the identity that its edge has pinned, are kept, so that another device at the new address is noticed. Throws
 * REGISTRY_INVALID.
 */
export async function changeDevice(
  context: RegistryContext,
  tx: VaultTransaction,
  device: DeviceRow,
  reach: DeviceReach,
): Promise<DeviceRow> {
  refuseTooManySettings(device.name, reach.settings);
  const after = {
    host: reach.host,
    port: reach.port,
    settings: settingsText(reach.settings),
    time_zone: reach.timeZone ?? device.time_zone,
    windows: reach.windows === undefined ? device.windows : windowsText(reach.windows),
  };
  const changed = (["host", "port", "settings", "time_zone", "windows"] as const).filter(
    (field) => device[field] !== after[field],
  );
  if (changed.length === 0) return device;
  await tx.updateTable("devices").set(after).where("device_id", "=", device.device_id).execute();
  await context.audit(tx, {
    action: "device.change",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "device", id: `${device.zone}/${device.name}` },
    outcome: "ok",
    details: { field: changed.join(", "), host: after.host, port: after.port },
  });
  return { ...device, ...after };
}

/** Sets or ends an operator's hold: nothing new starts on the device, an unfinished rotation is finished. */
export async function holdDevice(
  context: RegistryContext,
  tx: VaultTransaction,
  device: DeviceRow,
  hold: { readonly held: boolean; readonly reason: string },
): Promise<DeviceRow> {
  const held = hold.held ? 1 : 0;
  if (device.held === held) return device;
  await tx.updateTable("devices").set({ held }).where("device_id", "=", device.device_id).execute();
  await context.audit(tx, {
    action: hold.held ? "device.hold" : "device.release",
    actor: { kind: "operator", id: "local" },
    subject: { kind: "device", id: `${device.zone}/${device.name}` },
    outcome: "ok",
    details: hold.reason === "" ? {} : { reason: hold.reason },
  });
  return { ...device, held };
}
