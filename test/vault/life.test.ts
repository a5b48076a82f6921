import t from "tap";
import { encodeFact } from "../../protocol/content/index.ts";
import { VaultRig } from "./vault-rig.ts";

const path = "plant/pump/operator";
const edgeEnrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

function rotated(accountId: Uint8Array, number: number, outcome: string) {
  const at = { lo: 1_900_000_000, hi: null };
  return encodeFact({
    kind: "rotation",
    accountId,
    index: { epoch: 1, number },
    state: "VERIFIED",
    outcome,
    at,
    leaf: { serial: 0, index: 3 },
  });
}

t.test(
  "a credential set at the vault reaches its edge with a pool of two, and a verified rotation moves everything on",
  async (t) => {
    const rig = await VaultRig.make(t);
    const edge = await rig.join(t, edgeEnrolment);
    await rig.addPump("plant");
    await rig.setPassword(path, "First-live1");
    t.same(new Set(await edge.exchange()), new Set(["applied", "report applied"]));
    const first = edge.values(path);
    t.same(first["current"], ["First-live1"]);
    t.equal(first["pool"]?.length, 2);

    edge.report([rotated(edge.accountId(path), 1, "verified")]);
    await edge.exchange();
    const second = edge.values(path);
    t.same(second["current"], [first["pool"]?.[1]], "number 1 of the pool, which the view lists newest first");
    t.equal(second["pool"]?.length, 2, "the next value was issued");
    t.ok(second["pool"]?.includes(first["pool"]?.[0] ?? ""));

    const history = (await rig.call("GET", `/v1/credentials/history?path=${path}`))["versions"] as {
      version: string;
      status: string;
    }[];
    t.same(
      history.map(({ version, status }) => `${version} ${status}`),
      ["1.3 issued", "1.2 issued", "1.1 acknowledged", "1.0 superseded"],
      "nothing is ever deleted",
    );
    t.same(await edge.exchange(), [], "both are at rest");
    t.same(await rig.outbox(edge.node.nodeId), [], "the outbox shrank on the edge's own acknowledgement");
  },
);
