import { type AccountRecord, decodeRecord, decodeValue, encodeRecord, tables } from "../../edge/rotation/record.ts";
import type { Outcome } from "../../firmware-adapters/index.ts";
import { encodeTcbor, toHex, u64be } from "../../protocol/base/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { candidateOf, type RotationState } from "../../protocol/rotation/index.ts";
import type { SimulatedDevice } from "./device.ts";
import type { Change, Disk } from "./disk.ts";
import type { Rig } from "./rig.ts";
import type { World } from "./world.ts";

/** One bug, planted at a seam of the world: seeds have to find it. */
export interface PlantedBug {
  readonly bug: string;
  readonly plant: (world: World) => void;
}

/** How many seeds a bug may hide from. */
export const mostSeeds = 2_000;

/** Changes what every edge writes about an account. */
function records(change: (after: AccountRecord, before: AccountRecord | null) => AccountRecord) {
  return (world: World) => {
    for (const { disk } of world.edges) {
      disk.tamper = (row) => {
        if (row.table !== tables.account || row.after === null) return row;
        const after = decodeRecord(row.after);
        const changed = change(after, row.before === null ? null : decodeRecord(row.before));
        return changed === after ? row : { ...row, after: encodeRecord(changed) };
      };
    }
  };
}

function states(change: (after: RotationState, before: RotationState | null) => RotationState) {
  return records((after, before) => {
    const state = change(after.state, before?.state ?? null);
    return state === after.state ? after : { ...after, state };
  });
}

function onlyCurrent(state: RotationState): RotationState {
  return { ...state, candidates: state.candidates.filter(({ ref }) => ref === state.current || ref === state.next) };
}

/** Changes what every adapter answers. */
function outcomes(change: (op: string, outcome: Outcome) => Outcome) {
  return devices((device) => {
    device.tamper = change;
  });
}

function devices(change: (device: SimulatedDevice) => void) {
  return (world: World) => {
    for (const device of world.devices.values()) change(device);
  };
}

/** Both in one world: some bugs show on devices that carry a change out late, over whatever lives there by then. */
function both(...plants: readonly ((world: World) => void)[]) {
  return (world: World) => {
    for (const plant of plants) plant(world);
  };
}

const lateDevices = devices((device) => {
  device.nature = { late: 0.4 };
});

const lateKeyChanges = devices((device) => {
  device.nature = { late: 0.4 };
  device.kind = { ...device.kind, delta: true };
});

const nothingSent = { kind: "NOT_SENT", mayHaveSpentAttempt: false, prepareAgain: false } as const;

/** A disk that remembers only what was written some time ago. */
function stale(disk: Disk, isMeant: (change: Change) => boolean): void {
  disk.tamper = (change) => (isMeant(change) && change.before !== null ? { ...change, after: change.before } : change);
}

const receiverRow = Buffer.from("receiver").toString("hex");

/** The bugs; those of 3-rotation that no seam of the simulation reaches are the model check's. */
export const plantedBugs: readonly PlantedBug[] = [
  {
    bug: "export before store: a value leaves whose row was never stored",
    plant: ({ vaultDisk }) => {
      const [newest] = vaultDisk.all<{ at: number }>("select max(created_at) as at from credentials");
      vaultDisk.beforeCommit = () =>
        vaultDisk.run("delete from credentials where status = 'issued' and created_at > ?", newest?.at ?? 0);
    },
  },
  {
    bug: "push before intent: what is SENT is not durable",
    plant: ({ edges }) => {
      for (const { disk } of edges) {
        stale(disk, ({ table, after }) => {
          return table === tables.account && after !== null && decodeRecord(after).state.pending?.action === "push";
        });
      }
    },
  },
  {
    bug: "timeout taken as failure",
    plant: both(
      lateKeyChanges,
      outcomes((_op, outcome) => (outcome.kind === "AMBIGUOUS" ? { ...outcome, ...nothingSent } : outcome)),
    ),
  },
  {
    bug: "timeout of a change taken as a refused value",
    plant: both(
      lateDevices,
      outcomes((op, outcome) =>
        op === "push" && outcome.kind === "AMBIGUOUS" ? { ...outcome, kind: "REJECTED_POLICY" } : outcome,
      ),
    ),
  },
  {
    bug: "network error taken as wrong password",
    plant: outcomes((_op, outcome) => (outcome.kind === "NOT_SENT" ? { ...outcome, kind: "REJECTED_AUTH" } : outcome)),
  },
  {
    bug: "candidate dropped on retry",
    plant: states((after, before) =>
      before?.phase === "PROBE" && after.phase === "STAGED"
        ? { ...after, candidates: after.candidates.filter(({ ref }) => ref === after.current) }
        : after,
    ),
  },
  {
    bug: "candidate dropped on acknowledgement",
    plant: states((after, before) =>
      before?.unacknowledged != null && after.unacknowledged === null ? { ...after, history: [] } : after,
    ),
  },
  {
    bug: "candidate dropped when its value was refused",
    plant: states((after, before) =>
      after.rejected.length > (before?.rejected.length ?? 0) ? onlyCurrent({ ...after, next: null }) : after,
    ),
  },
  {
    bug: "older candidates forgotten",
    plant: states((after) => (after.phase === "VERIFIED" ? { ...after, history: [] } : after)),
  },
  {
    bug: "history purged at the vault",
    plant: ({ vaultDisk }) => {
      vaultDisk.beforeCommit = () => vaultDisk.run("delete from credentials where status = 'superseded'");
    },
  },
  { bug: "volatile budget", plant: states((after) => (after.spent === 0 ? after : { ...after, spent: 0 })) },
  {
    bug: "no budget: the model says that the device never locks",
    plant: devices((device) => {
      if (device.kind.tries === null) device.kind = { ...device.kind, tries: 3 };
    }),
  },
  {
    bug: "older bundle accepted: the edge forgets how far it came",
    plant: ({ edges }) => {
      for (const { disk } of edges) stale(disk, ({ table, key }) => table === "node" && key === receiverRow);
    },
  },
  {
    bug: "no save",
    plant: devices((device) => {
      device.pretends = (op) => op === "save";
    }),
  },
  {
    bug: "verify on the push session: the device asks for no password",
    plant: outcomes((op, outcome) =>
      op === "verify" && outcome.kind === "REJECTED_AUTH"
        ? { kind: "OK", code: "DEVICE_OK", detail: "", mayHaveSpentAttempt: false, state: null, identity: null }
        : outcome,
    ),
  },
  {
    bug: "report before verified",
    plant: ({ edges }) => {
      for (const { disk } of edges) reportEarly(disk);
    },
  },
  {
    bug: "KeyChange recomputed on retry",
    plant: records((after) =>
      after.state.pushes > 0 ? { ...after, request: null, state: { ...after.state, prepared: null } } : after,
    ),
  },
  {
    bug: "same new pushed without settle time",
    plant: both(
      lateKeyChanges,
      devices((device) => {
        device.kind = { ...device.kind, settleMs: 120_000 };
      }),
    ),
  },
  {
    bug: "adopted account rotated",
    plant: ({ vaultDisk }) => vaultDisk.run("update accounts set rotate = 'on-demand' where rotate = 'never'"),
  },
  {
    bug: "the edge's store is not synced",
    plant: ({ edges }) => {
      for (const { disk } of edges) disk.synced = false;
    },
  },
  {
    bug: "the gateway's store is not synced",
    plant: ({ gateway }) => {
      gateway.disk.synced = false;
    },
  },
  {
    bug: "the vault's store is not synced",
    plant: ({ vaultDisk, time }) => {
      vaultDisk.synced = false;
      const sync = () => {
        vaultDisk.sync();
        time.after(30_000, sync);
      };
      sync();
    },
  },
  {
    bug: "an audit leaf is changed",
    plant: ({ edges }) => {
      for (const { disk } of edges) {
        disk.tamper = (change) =>
          (change.table === "audit-part" || change.table === "audit-bundle") && change.after !== null
            ? { ...change, after: edited(change.after) }
            : change;
      }
    },
  },
];

/** A report of success as soon as the new password has worked once. */
function reportEarly(disk: Disk): void {
  disk.tamper = (row) => {
    if (row.table !== tables.account || row.after === null) return row;
    const { state } = decodeRecord(row.after);
    const before = row.before === null ? null : decodeRecord(row.before).state;
    if (state.phase !== "NEW-OK" || before?.phase === "NEW-OK" || state.next === null) return row;
    const value = disk.rows(tables.value).get(`${row.key}${state.next.toString(16).padStart(8, "0")}`);
    const index = candidateOf(state, state.next)?.index;
    if (value === undefined || index === undefined) return row;
    const fact = encodeFact({
      kind: "rotation",
      accountId: new Uint8Array(Buffer.from(row.key, "hex")),
      index: { epoch: index[0], number: index[1] },
      fingerprint: decodeValue(value.slice()).fingerprint,
      state: "VERIFIED",
      outcome: "verified",
      at: { lo: 0, hi: null },
      leaf: { serial: 0, index: 1_000_000 },
    });
    disk.inject("fact", toHex(u64be(1_000_000)), encodeTcbor([null, fact.type, fact.payload]));
    return row;
  };
}

function edited(leaf: Uint8Array): Uint8Array {
  const text = Buffer.from(leaf).toString("latin1");
  return new Uint8Array(Buffer.from(text.replace('"ok"', '"no"'), "latin1"));
}

/** The first seed that finds the bug, and what it says; null where `seeds` seeds do not. */
export async function findBug(
  rig: Rig,
  { plant }: PlantedBug,
  seeds: number,
): Promise<{ readonly seed: number; readonly problem: string } | null> {
  for (let seed = 0; seed < seeds; seed += 1) {
    const { problem } = await rig.run(seed, { plant });
    if (problem !== null) return { seed, problem };
  }
  return null;
}
