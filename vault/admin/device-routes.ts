import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { fromHex, toHex } from "../../protocol/base/index.ts";
import { contentLimits, rotateOnBit, rotatePolicies } from "../../protocol/content/index.ts";
import { isTimeZone } from "../../protocol/time/index.ts";
import {
  type AccountInput,
  accountAt,
  addDevice,
  changeDevice,
  consumerPolicies,
  deviceAt,
  giveOrder,
  modelConstraints,
  nextOpening,
  orderOf,
  putModel,
  type RegistryContext,
  setAccountRules,
  standstillOf,
  storedModel,
  windowsOf,
  withdrawOrders,
} from "../registry/index.ts";
import type { AccountRow, DeviceRow, OrderRow, VaultTransaction } from "../store/index.ts";
import { type AdminContext, change, changeOfAccount } from "./admin-context.ts";
import { hostName, line, path, segment } from "./input-shapes.ts";
import { accountsPerDevice, constraintsBytes, longestOrderS, operatorBytes } from "./limits.ts";

const account = z.strictObject({
  name: segment,
  username: line(contentLimits.usernameBytes),
  rotate: z.enum(rotatePolicies).default("on-demand"),
  intervalS: z.int().min(60).max(contentLimits.intervalS).nullable().default(null),
  windowless: z.boolean().default(false),
  breakGlass: z.boolean().default(false),
});

const timeZone = z.string().max(contentLimits.timeZoneBytes).refine(isTimeZone, "an IANA time zone such as Europe/Berlin");

const windows = z
  .array(
    z.strictObject({
      days: z.int().min(1).max(127),
      startMinute: z.int().min(0).max(1_439),
      minutes: z.int().min(1).max(10_080),
    }),
  )
  .max(contentLimits.windows);

const model = z.strictObject({
  name: line(contentLimits.nameBytes),
  yaml: z.string().max(contentLimits.modelBytes).nullable().default(null),
  /** Checked field by field by the generator. */
  constraints: z
    .unknown()
    .refine((value) => JSON.stringify(value ?? null).length <= constraintsBytes, `at most ${constraintsBytes} bytes`),
});

const settings = z.record(
  z
    .string()
    .regex(/^[a-zA-Z][a-zA-Z0-9_.-]*$/, "a name such as unitId")
    .max(contentLimits.settingNameBytes),
  line(contentLimits.settingValueBytes),
);

const port = z.int().min(1).max(65_535);

/** What may be corrected later, the whole of it. */
const reach = z.strictObject({
  host: hostName,
  port,
  settings,
  timeZone: timeZone.optional(),
  windows: windows.optional(),
});

const device = z.strictObject({
  name: segment,
  zone: segment,
  model,
  host: hostName,
  port,
  settings: settings.default({}),
  timeZone: timeZone.default("UTC"),
  windows: windows.default([]),
  accounts: z.array(account).min(1).max(accountsPerDevice),
});

const intervalS = z.int().min(60).max(contentLimits.intervalS).nullable();

const rules = z.strictObject({
  consumers: z.enum(consumerPolicies).optional(),
  reconcileBy: path.nullable().optional(),
  rotation: z.strictObject({ rotate: z.enum(rotatePolicies), intervalS: intervalS.default(null) }).optional(),
  windowless: z.boolean().optional(),
  breakGlass: z.boolean().optional(),
  /** Events after which the account is rotated, the whole list. */
  rotateOn: z
    .array(z.enum(Object.keys(rotateOnBit) as [keyof typeof rotateOnBit]))
    .transform((events) => [...new Set(events)].reduce((sum, event) => sum + rotateOnBit[event], 0))
    .optional(),
});

const order = z.strictObject({
  path,
  action: z.enum(["rotate", "verify", "reconcile"]),
  withinS: z.int().min(60).max(longestOrderS).optional(),
  now: z.boolean().optional(),
  operator: line(operatorBytes).optional(),
  /** The account is taken over with the password that it has. */
  adopts: z.boolean().optional(),
});

async function noteAdoption(registry: RegistryContext, tx: VaultTransaction, id: string, orderId: Uint8Array): Promise<void> {
  const subject = { kind: "account", id } as const;
  const actor = { kind: "operator", id: "local" } as const;
  await registry.audit(tx, { action: "device.adopt", actor, subject, outcome: "ok", details: { orderId: toHex(orderId) } });
}

/** Devices with their accounts, and orders. */
export function deviceRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "POST",
      path: "/v1/devices",
      body: device,
      handle: ({ body }) =>
        change(context, { zone: body.zone, paths: [], mayWait: true }, async (registry, tx) => {
          await putModel(registry, tx, body.model);
          const added = await addDevice(registry, tx, {
            ...body,
            model: body.model.name,
            accounts: body.accounts as AccountInput[],
          });
          return describeDevice(tx, added, registry.nowMs());
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/devices",
      handle: () =>
        core.store.read(async (tx) => {
          const devices = await tx.selectFrom("devices").selectAll().orderBy("zone").orderBy("name").execute();
          return Promise.all(devices.map((each) => describeDevice(tx, each, core.clock.wallMs())));
        }),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/devices/:zone/:name",
      handle: ({ params }) =>
        core.store.read(async (tx) => {
          const found = await deviceAt(tx, params["zone"] ?? "", params["name"] ?? "");
          return describeDevice(tx, found, core.clock.wallMs());
        }),
    }),
    adminRoute({
      method: "PUT",
      path: "/v1/devices/:zone/:name",
      body: reach,
      handle: ({ params, body }) =>
        change(context, { zone: params["zone"] ?? "", paths: [] }, async (registry, tx) => {
          const found = await deviceAt(tx, params["zone"] ?? "", params["name"] ?? "");
          return describeDevice(tx, await changeDevice(registry, tx, found, body), registry.nowMs());
        }),
    }),
    adminRoute({
      method: "PUT",
      path: "/v1/accounts/:zone/:device/:account",
      body: rules,
      handle({ params, body }) {
        const name = [params["zone"], params["device"], params["account"]].join("/");
        return change(context, { ...changeOfAccount(name), mayWait: true }, async (registry, tx) =>
          describeAccount(tx, await setAccountRules(registry, tx, await accountAt(tx, name), body)),
        );
      },
    }),
    adminRoute({
      method: "GET",
      path: "/v1/models",
      query: z.strictObject({ name: z.string() }),
      handle: ({ query }) => core.store.read((tx) => storedModel(tx, query.name)),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/orders",
      body: order,
      handle: ({ body }) =>
        change(context, { ...changeOfAccount(body.path), paths: [] }, async (registry, tx) => {
          const given = await giveOrder(registry, tx, body);
          if (body.adopts === true) await noteAdoption(registry, tx, body.path, given.order_id);
          return describeOrder(tx, given);
        }),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/orders/withdraw",
      body: order.omit({ withinS: true, adopts: true }),
      handle: ({ body }) =>
        change(context, { ...changeOfAccount(body.path), paths: [] }, async (registry, tx) =>
          Promise.all((await withdrawOrders(registry, tx, body)).map((each) => describeOrder(tx, each))),
        ),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/orders/:id",
      handle: ({ params }) =>
        core.store.read(async (tx) => describeOrder(tx, await orderOf(tx, fromHex(params["id"] ?? "") ?? new Uint8Array(0)))),
    }),
  ];
}

/** A device as every answer shows it. */
export async function describeDevice(tx: VaultTransaction, row: DeviceRow, nowMs: number) {
  const accounts = await tx.selectFrom("accounts").selectAll().where("device_id", "=", row.device_id).orderBy("path").execute();
  return {
    path: `${row.zone}/${row.name}`,
    model: row.model,
    host: row.host,
    port: row.port,
    settings: Object.fromEntries(JSON.parse(row.settings) as [string, string][]),
    identity: row.identity,
    timeZone: row.time_zone,
    windows: windowsOf(row),
    /** The opening that is now, or the next one; null where no window is set. */
    opening: nextOpening(row, nowMs),
    held: row.held === 1,
    /** Names of the secrets that each of its accounts has. */
    fields: Object.keys(await modelConstraints(tx, row.model)),
    accounts: await Promise.all(accounts.map((each) => describeAccount(tx, each))),
  };
}

async function describeAccount(tx: VaultTransaction, row: AccountRow) {
  const versions = await tx
    .selectFrom("credentials")
    .select(["epoch", "number", "status", "proven_at"])
    .where("account_id", "=", row.account_id)
    .execute();
  const current = versions.find(({ status }) => status === "acknowledged");
  return {
    path: row.path,
    username: row.username,
    rotate: row.rotate,
    intervalS: row.interval_s,
    windowless: row.windowless === 1,
    breakGlass: row.break_glass === 1,
    rotateOn: Object.entries(rotateOnBit).flatMap(([event, bit]) => ((row.rotate_on & bit) === 0 ? [] : [event])),
    consumers: row.consumers,
    reconcileBy: await pathOf(tx, row.reconcile_by),
    group: await groupNameOf(tx, row.group_id),
    version: current === undefined ? null : `${current.epoch}.${current.number}`,
    provenAtMs: current?.proven_at ?? null,
    /** True after a restore until its edge has told what it holds. */
    unsettled: row.unsettled === 1,
    /** What its edge last said about it; null until it has said anything. */
    reported: row.reported_at === null ? null : { state: row.reported_state, code: row.reported_code, atMs: row.reported_at },
    pool: versions.filter(({ status }) => status === "issued").length,
  };
}

async function groupNameOf(tx: VaultTransaction, groupId: Uint8Array | null): Promise<string | null> {
  if (groupId === null) return null;
  const row = await tx.selectFrom("groups").select("name").where("group_id", "=", groupId).executeTakeFirst();
  return row?.name ?? null;
}

async function pathOf(tx: VaultTransaction, accountId: Uint8Array | null): Promise<string | null> {
  if (accountId === null) return null;
  const row = await tx.selectFrom("accounts").select("path").where("account_id", "=", accountId).executeTakeFirst();
  return row?.path ?? null;
}

async function describeOrder(tx: VaultTransaction, row: OrderRow) {
  return {
    orderId: toHex(row.order_id),
    action: row.action,
    now: row.now === 1,
    state: row.state,
    outcome: row.outcome,
    code: row.code,
    notBeforeMs: row.not_before * 1000,
    notAfterMs: row.not_after * 1000,
    finishedAtMs: row.finished_at,
    /** Why it waits for a person; null where it goes on by itself. */
    standstill: await standstillOf(tx, row),
  };
}
