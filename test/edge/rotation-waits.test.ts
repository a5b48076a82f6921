import t from "tap";
import { StoreError, type View } from "../../agent/store/index.ts";
import { momentOf, tables } from "../../edge/rotation/index.ts";
import { accountId, type RotationRig, ready, viewerId } from "./rotation-rig.ts";

const minute = 60_000;
const hour = 60 * minute;

/** Rows of values do not unseal from now on, until the returned function is called. */
function damage(rig: RotationRig): () => void {
  const { store } = rig;
  const read = store.read.bind(store);
  let damaged = true;
  store.read = (work) =>
    read((view) => {
      const get: View["get"] = (table, id) => {
        if (damaged && table === tables.value) throw new StoreError("STORE_DAMAGED", "does not unseal");
        return view.get(table, id);
      };
      return work(Object.assign(Object.create(view), { get }) as View);
    });
  return () => {
    damaged = false;
  };
}

t.test("a value that a person gave during a rotation is taken when the account rests, without another bundle", async (t) => {
  const rig = ready().order("rotate");
  rig.device.tricks.push({ op: "save", trick: "unreachable" });
  await rig.pass(100);
  t.equal(rig.phase, "NEW-OK");
  rig.values = [...rig.values.slice(1), [3, "new-1", "current"]];
  rig.sync();
  t.notOk(
    rig.account.record.state.candidates.some(({ index }) => index[1] === 3),
    "refused: it is not calm",
  );
  await rig.pass(hour);
  t.same(rig.reports, ["proven 0", "verified 1", "proven 3"]);
  t.equal(rig.phase, "IDLE");
});

t.test("values that found the pool full are taken when there is room", async (t) => {
  const rig = ready();
  rig.values.push([3, "new-3", "pool"]);
  rig.sync();
  const pool = () => rig.account.record.state.pool.map(({ index }) => index[1]);
  t.same(pool(), [1, 2]);
  await rig.order("rotate").pass(hour);
  t.equal(rig.device.live, "new-1");
  t.same(pool(), [2, 3]);
});

t.test("where the device locks as a whole, an account goes on when another one's attempts are forgiven", async (t) => {
  const lockout = { tries: 5, windowS: 600, durationS: 300, scope: "device" } as const;
  const rig = ready({ lockout, viewer: true });
  rig.device.tricks.push({ op: "push", trick: "reply lost" });
  await rig.order("rotate").pass(100);
  t.equal(rig.phase, "PROBE");
  const viewer = rig.accountOf(viewerId);
  const { state } = viewer.record;
  viewer.record = { ...viewer.record, state: { ...state, spent: 3 }, lastAttempt: momentOf(rig.time.clock) };
  rig.engine.advance(viewer);
  await rig.pass(minute);
  t.equal(rig.account.waiting, "ROTATION_BUDGET_SPENT");
  await rig.pass(15 * minute);
  t.same(rig.reports, ["proven 0", "verified 1"], "not an hour later");
});

t.test("a new edge leaves the device the attempts that the edge before it may have used", async (t) => {
  const lockout = { tries: 3, windowS: 600, durationS: 300, scope: "account" } as const;
  const rig = ready({ lockout, joined: true }).order("verify");
  await rig.pass(15 * minute - 1);
  t.same(rig.device.seen, []);
  await rig.pass(minute);
  t.same(rig.device.seen, ["verify old"]);
  const open = await ready({ joined: true }).order("verify").pass(100);
  t.same(open.device.seen, ["verify old"], "where nothing locks nothing waits");
});

t.test("accounts that lock together all wait for the window of a new edge, and are not refused for good", async (t) => {
  const lockout = { tries: 5, windowS: 600, durationS: 300, scope: "device" } as const;
  const rig = ready({ lockout, joined: true, viewer: true }).order("verify");
  await rig.pass(15 * minute - 1);
  t.same([rig.device.seen, rig.orderEnds], [[], []]);
  await rig.pass(minute);
  t.same([rig.device.seen, rig.orderEnds], [["verify old"], ["done null"]]);
});

t.test("an account that spent nothing waits for what its neighbour spent, and its order is not refused for good", async (t) => {
  const lockout = { tries: 3, windowS: 600, durationS: 300, scope: "device" } as const;
  const rig = ready({ lockout, viewer: true });
  const viewer = rig.accountOf(viewerId);
  const { state } = viewer.record;
  viewer.record = { ...viewer.record, state: { ...state, spent: 1 }, lastAttempt: momentOf(rig.time.clock) };
  await rig.order("verify").pass(minute);
  t.same([rig.account.waiting, rig.orderEnds], ["ROTATION_BUDGET_SPENT", []]);
  await rig.pass(15 * minute);
  t.same([rig.device.seen, rig.orderEnds], [["verify old"], ["done null"]]);
});

t.test("a value that could not be read costs the account its try and no more", async (t) => {
  const rig = ready().order("rotate");
  const mend = damage(rig);
  await rig.pass(minute);
  t.same(rig.device.seen, [], "nothing was sent");
  mend();
  await rig.pass(hour);
  t.same([rig.phase, rig.device.live], ["VERIFIED", "new-1"]);
  t.same(rig.orderEnds, ["done null"]);
});

t.test("an order that the vault takes back is not carried out, also where its value is staged already", async (t) => {
  const rig = ready();
  rig.hi = null;
  rig.order("rotate");
  await rig.pass(minute);
  rig.orders = [];
  rig.hi = 0;
  await rig.sync().pass(hour);
  t.same(rig.device.seen, [], "waiting for the clock");

  const staged = ready();
  staged.device.tricks.push({ op: "prepare", trick: "unreachable" });
  await staged.order("rotate").pass(100);
  t.equal(staged.phase, "STAGED");
  staged.orders = [];
  await staged.sync().pass(hour);
  t.same([staged.phase, staged.device.live], ["IDLE", "old"]);
  await staged.order("rotate").pass(hour);
  t.equal(staged.device.live, "new-1", "a new one is");
});

t.test("what the device said last is known over a restart", async (t) => {
  const rig = ready();
  rig.device.live = "something else";
  await rig.order("verify").pass(24 * hour);
  t.equal(rig.phase, "UNKNOWN");
  t.equal(rig.accountOf(accountId).says, "DEVICE_SECRET_REFUSED");
  t.equal(rig.crash().account.says, "DEVICE_SECRET_REFUSED");
});
