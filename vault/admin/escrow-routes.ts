import { z } from "zod";
import { type AdminRoute, adminRoute } from "../../agent/admin/index.ts";
import { fromHex, toHex } from "../../protocol/base/index.ts";
import { newestRoot } from "../../protocol/trust/index.ts";
import { escrowAt, type Learned, learnAccount, openEscrows, settleZone, takeRoot } from "../recovery/index.ts";
import { exportNodes } from "../streams/index.ts";
import type { AdminContext } from "./admin-context.ts";
import { base64, segment } from "./input-shapes.ts";
import { escrowedAccountsPerCall } from "./limits.ts";

const id = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes, hexadecimal`);
const index = z.tuple([z.int().min(0), z.int().min(0)]);

const learned = z.strictObject({
  nodeId: id(20),
  epoch: z.int().min(0),
  seq: z.int().min(1),
  accounts: z
    .array(
      z.strictObject({
        accountId: id(16),
        current: index,
        values: z.array(z.strictObject({ index, fields: z.record(z.string().max(32), base64) })).max(32),
      }),
    )
    .max(escrowedAccountsPerCall),
  /** Nothing more of this escrow follows. */
  last: z.boolean(),
});

const root = z.strictObject({ root: z.string().max(256 * 1024), keepTokens: z.boolean().default(false) });

/** After a restore: the new root, and what the edges' escrows hold. The recovery key stays with who calls; only values come here. */
export function escrowRoutes(context: AdminContext): AdminRoute[] {
  const { core } = context;
  return [
    adminRoute({
      method: "GET",
      path: "/v1/root",
      handle: () =>
        core.store.read(async (tx) => ({
          root: Buffer.from(newestRoot(await core.trust.read(tx)).envelope).toString("base64"),
          vaultId: toHex(core.vaultId),
        })),
    }),
    adminRoute({
      method: "POST",
      path: "/v1/root",
      body: root,
      handle: ({ body }) => takeGivenRoot(context, body),
    }),
    adminRoute({ method: "GET", path: "/v1/escrows", handle: () => core.store.read((tx) => listEscrows(context, tx)) }),
    adminRoute({ method: "POST", path: "/v1/escrows/learn", body: learned, handle: ({ body }) => learn(context, body) }),
    adminRoute({
      method: "POST",
      path: "/v1/escrows/give-up",
      body: z.strictObject({ zone: segment }),
      handle: ({ body }) => giveUp(context, body.zone),
    }),
  ];
}

async function takeGivenRoot(context: AdminContext, body: z.infer<typeof root>) {
  const { core } = context;
  const envelope = new Uint8Array(Buffer.from(body.root, "base64"));
  const { reached, ...taken } = await core.store.transaction((tx) =>
    takeRoot(core, tx, { root: envelope, keepTokens: body.keepTokens }),
  );
  context.wake(reached);
  return taken;
}

async function listEscrows({ core }: AdminContext, tx: Parameters<typeof openEscrows>[0]) {
  const rows = await openEscrows(tx);
  const waiting = await tx.selectFrom("accounts").select("path").where("unsettled", "=", 1).orderBy("path").execute();
  return {
    vaultId: toHex(core.vaultId),
    unsettled: waiting.map(({ path }) => path),
    escrows: rows.map((row) => ({
      nodeId: toHex(row.node_id),
      name: row.name,
      zone: row.zone,
      epoch: row.epoch,
      seq: row.seq,
      receivedAtMs: row.received_at,
      context: Buffer.from(row.context).toString("base64"),
      escrow: Buffer.from(row.escrow).toString("base64"),
    })),
  };
}

async function learn(context: AdminContext, body: z.infer<typeof learned>) {
  const { core } = context;
  const { results, reached } = await core.store.transaction(async (tx) => {
    const nodeId = fromHex(body.nodeId) ?? new Uint8Array(0);
    const { zone, settles } = await escrowAt(core, tx, { nodeId, epoch: body.epoch, seq: body.seq, learned: body.last });
    const made: Learned[] = [];
    for (const account of body.accounts) made.push(await learnAccount(core, tx, account));
    if (settles && body.last) await settleZone(core, tx, zone);
    await core.log.append(tx, {
      action: "credential.recover",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "zone", id: zone },
      outcome: "ok",
      details: { count: made.reduce((sum, each) => sum + each.learned.length, 0) },
    });
    return { results: made, reached: await exportNodes(core, tx, { zone: null, accounts: null }) };
  });
  context.wake(reached);
  return results;
}

async function giveUp(context: AdminContext, zone: string) {
  const { core } = context;
  const { paths, reached } = await core.store.transaction(async (tx) => {
    const settled = await settleZone(core, tx, zone);
    await core.log.append(tx, {
      action: "credential.recover",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "zone", id: zone },
      outcome: "unknown",
      details: { count: 0 },
    });
    return { paths: settled, reached: await exportNodes(core, tx, { zone: null, accounts: null }) };
  });
  context.wake(reached);
  return { zone, paths };
}
