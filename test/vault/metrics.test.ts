import t from "tap";
import type { AdminText } from "../../agent/admin/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { metricsRoute } from "../../vault/admin/metrics-route.ts";
import { raiseAlarm } from "../../vault/ingest/index.ts";
import type { VaultStore } from "../../vault/store/index.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

t.test("metrics say how nodes, pools, alarms, log, disk and store stand, also after writing has stopped", async (t) => {
  const rig = await VaultRig.make(t);
  const gateway = await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz" });
  const node = await rig.join(t, { ...edge, via: "gw-1" });
  const facts = { standing: "low", freeBytes: 7, usedPart: 0.8, reserveBytes: 5, dropped: 3 } as const;
  const read = async (stopped = false) => {
    const unused = () => Promise.reject(new Error("not for metrics"));
    const store: VaultStore = {
      read: (work) => rig.core.store.read(work),
      ...{ transaction: unused, image: unused, forget: unused, close: unused },
      stopped: stopped ? "VAULT_STORE_IO" : null,
    };
    const { type, text } = (await metricsRoute({
      core: { ...rig.core, store },
      wake: () => {},
      connected: (nodeId) => sameBytes(nodeId, gateway.node.nodeId),
      vaultAddress: () => "",
      forwards: () => [],
      space: () => facts,
    }).handle({ params: {}, query: {}, body: undefined })) as AdminText;
    t.match(type, /^text\/plain; version=0\.0\.4/);
    return new Map(
      text
        .split("\n")
        .flatMap((line) => /^tidegate_(\S+) (\S+)$/.exec(line)?.slice(1, 3).join(" ") ?? [])
        .map((line) => line.split(" ") as [string, string]),
    );
  };
  const says = async (title: string, expected: Record<string, number | undefined>, stopped = false) => {
    const values = await read(stopped);
    for (const [name, value] of Object.entries(expected))
      t.equal(values.get(name), value === undefined ? value : `${value}`, `${title}: ${name}`);
  };
  await says("joined", {
    'nodes{role="edge",state="active"}': 1,
    'nodes{role="gateway",state="active"}': 1,
    'node_silent_seconds{node="edge-1"}': -1,
    'node_connected{node="gw-1"}': 1,
    'node_connected{node="edge-1"}': undefined,
    disk_free_bytes: 7,
    disk_used_ratio: 0.8,
    audit_reserve_bytes: 5,
    audit_events_dropped: 3,
    store_stopped: 0,
    alarms: 0,
  });
  await rig.addPump("plant");
  await says("registered", { 'pool_accounts{zone="plant",issued="0"}': 1, accounts_need_operator: 0 });
  await node.exchange();
  await rig.setPassword(path, "First-live1");
  rig.seams.nowMs += 90_000;
  await rig.core.store.transaction(async (tx) => {
    await raiseAlarm(rig.core, tx, { node: null, code: "INGEST_UNPROVEN", subject: path });
    await tx.updateTable("accounts").set({ unsettled: 1, reported_code: "ROTATION_UNKNOWN" }).execute();
    await tx
      .updateTable("streams")
      .set({ put_off: new Uint8Array(16) })
      .execute();
  });
  const size = (await rig.core.store.read((tx) => rig.core.log.head(tx)))?.size;
  await says(
    "in need",
    {
      'nodes{role="edge",state="active"}': undefined,
      'nodes{role="edge",state="unsettled"}': 1,
      'node_silent_seconds{node="edge-1"}': 90,
      'node_behind{node="edge-1"}': 1,
      'pool_accounts{zone="plant",issued="2"}': 1,
      exports_waiting: 2,
      alarms: 1,
      accounts_unsettled: 1,
      accounts_need_operator: 1,
      audit_entries: size,
      store_stopped: 1,
    },
    true,
  );
  const vouched = Number((await read()).get("audit_events_since_anchor"));
  t.ok(vouched > 0 && vouched <= Number(size), `${vouched} of ${size}`);
});
