import t, { type Test } from "tap";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };
/** The rig's vault lives on Sunday, 2030-03-17, at 17:46:40 UTC. */
const nowS = 1_900_000_000;
const hour = 3_600;

async function planted(t: Test) {
  const rig = await VaultRig.make(t);
  const edge = await rig.join(t, edgeEnrolment);
  await rig.addPump("plant");
  await rig.setPassword(path, "First-live1");
  const device = () => edge.node.withState((view) => [...view.devices.values()].map(({ content }) => content)[0]);
  const orders = () => edge.node.withState((view) => [...view.orders.values()]);
  const put = async (body: object) => {
    const { host, port, settings } = await rig.call("GET", "/v1/devices/plant/pump");
    return rig.call("PUT", "/v1/devices/plant/pump", { host, port, settings, ...body });
  };
  const order = (body: object = {}) => rig.call("POST", "/v1/orders", { path, action: "rotate", ...body });
  const leaves = async () => {
    const rows = await rig.core.store.read((tx) => tx.selectFrom("audit_leaves").select("leaf").orderBy("place").execute());
    return rows.map(({ leaf }) => JSON.parse(Buffer.from(leaf).toString()));
  };
  return { rig, edge, device, orders, put, order, leaves };
}

t.test("windows, holds, policies and the break-glass mark reach the edge", async (t) => {
  const { rig, edge, device, put, leaves } = await planted(t);
  await edge.exchange();
  t.match(device(), { timeZone: "UTC", windows: [], held: false });
  const window = { days: 1, startMinute: 60, minutes: 30 };
  t.match(await put({ timeZone: "Europe/Berlin", windows: [window] }), {
    timeZone: "Europe/Berlin",
    windows: [window],
    opening: { fromMs: Date.parse("2030-03-18T00:00Z"), toMs: Date.parse("2030-03-18T00:30Z") },
  });
  await put({});
  await rig.call("POST", "/v1/devices/plant/pump/hold", { reason: "work on the line" });
  await rig.call("POST", "/v1/devices/plant/pump/hold", {});
  const rules = { rotation: { rotate: "interval", intervalS: 60 }, windowless: true, breakGlass: true };
  t.match(await rig.call("PUT", `/v1/accounts/${path}`, rules), { rotate: "interval", intervalS: 60, breakGlass: true });
  await edge.exchange();
  t.match(device(), { timeZone: "Europe/Berlin", windows: [window], held: true });
  const account = edge.node.withState((view) => [...view.accounts.values()][0]?.content);
  t.match(account, { rotate: "interval", intervalS: 60, windowless: true, breakGlass: true });
  const changes = (await leaves()).filter(({ action }) => /^(device|account)\.(change|hold)$/.test(action));
  t.same(
    changes.map(({ action, details }) => [action, details.field ?? details.reason]),
    [
      ["device.change", "time_zone, windows"],
      ["device.hold", "work on the line"],
      ["account.change", "rotate, interval, windowless, breakGlass"],
    ],
    "what changes nothing leaves no leaf",
  );
  await rig.call("POST", "/v1/devices/plant/pump/release", {});
  await edge.exchange();
  t.match(device(), { held: false });
  const wrong = [
    { timeZone: "Nowhere/Land" },
    { windows: [{ ...window, days: 0 }] },
    { windows: [{ ...window, days: 128 }] },
    { windows: [{ ...window, startMinute: 1440 }] },
    { windows: [{ ...window, minutes: 0 }] },
    { windows: [{ ...window, minutes: 10_081 }] },
    { windows: Array.from({ length: 33 }, () => window) },
  ];
  for (const body of wrong) await t.rejects(put(body), { code: "REQUEST_INVALID" }, JSON.stringify(body).slice(0, 60));
  await put({ windows: Array.from({ length: 32 }, () => window) });
  const odd = { rotation: { rotate: "never", intervalS: 60 } };
  await t.rejects(rig.call("PUT", `/v1/accounts/${path}`, odd), { code: "REGISTRY_INVALID" });
});

t.test("an order waits for the next window, one for now does not, and one that could never begin is refused", async (t) => {
  const { rig, edge, orders, put, order, leaves } = await planted(t);
  // Monday 02:00 to 04:00, in eight hours and some.
  await put({ windows: [{ days: 1, startMinute: 120, minutes: 120 }] });
  const end = Date.parse("2030-03-18T04:00Z");
  t.match(await order(), { notAfterMs: end, now: false });
  await t.rejects(order({ withinS: hour }), { code: "ORDER_OUTSIDE_WINDOW", hint: /--now/ });
  t.match(await order({ withinS: 9 * hour }), { notAfterMs: (nowS + 9 * hour) * 1000 });
  t.match(await order({ now: true, operator: "jo" }), { notAfterMs: (nowS + hour) * 1000, now: true });
  t.match(await order({ action: "verify", withinS: 60 }), { notAfterMs: (nowS + 60) * 1000 }, "a check asks for no window");
  await edge.exchange();
  t.same(
    orders()
      .map(({ content }) => content.now)
      .sort(),
    [false, false, false, true],
  );
  const accepted = (await leaves()).filter(({ action }) => action === "order.accept");
  t.match(accepted[2], { details: { now: true, operator: "jo" } });
  t.notOk("now" in accepted[0].details);
  await rig.call("POST", "/v1/devices/plant/pump/hold", {});
  await t.rejects(order({ now: true }), { code: "ORDER_ON_HOLD", hint: /device release plant\/pump/ });
  t.match(await order({ action: "verify" }), { state: "open" }, "a held device may be checked");
});

t.test("an account that was only adopted gets values when its policy allows to change it", async (t) => {
  const { rig, edge } = await planted(t);
  await rig.call("PUT", `/v1/accounts/${path}`, { rotation: { rotate: "never" } });
  await rig.setPassword(path, "Second-live1");
  const pool = async () => {
    await edge.exchange();
    const all = edge.node.withState((view) => [...view.credentials.values()].flat());
    return all.filter(({ content }) => content.role === "pool").length;
  };
  t.equal(await pool(), 0);
  await rig.call("PUT", `/v1/accounts/${path}`, { rotation: { rotate: "on-demand" } });
  t.equal(await pool(), 2);
});

t.test("a dry run says in their order what stands in the way, and orders nothing", async (t) => {
  const { rig, edge, put, orders } = await planted(t);
  const dry = async () =>
    (await rig.call("GET", `/v1/dry-run?path=${path}`)) as { checks: { check: string; code: string | null }[] };
  const blocks = async () => (await dry()).checks.flatMap(({ code }) => (code === null ? [] : [code]));
  t.same(await blocks(), []);
  await put({ windows: [{ days: 1, startMinute: 120, minutes: 120 }] });
  await rig.call("POST", "/v1/devices/plant/pump/hold", {});
  await rig.call("PUT", `/v1/accounts/${path}`, { rotation: { rotate: "never" } });
  t.same(await blocks(), ["ORDER_NOT_ALLOWED", "ORDER_ON_HOLD", "ROTATION_WINDOW_CLOSED"]);
  await rig.core.store.transaction((tx) =>
    tx.updateTable("accounts").set({ reported_state: "UNKNOWN", unsettled: 1, rotate: "on-demand" }).execute(),
  );
  t.same(await blocks(), ["ORDER_ON_HOLD", "ROTATION_UNKNOWN", "ROTATION_ESCROW_DUE", "ROTATION_WINDOW_CLOSED"]);
  t.notMatch(JSON.stringify(await dry()), /First-live1/);
  await edge.exchange();
  t.same(orders(), []);
  await t.rejects(rig.call("GET", "/v1/dry-run?path=plant/pump/nobody"), { code: "REGISTRY_NOT_FOUND" });
});
