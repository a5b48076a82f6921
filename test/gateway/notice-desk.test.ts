import t from "tap";
import { createLog } from "../../agent/log/index.ts";
import { NoticeDesk } from "../../gateway/notices/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import type { CredentialRole } from "../../protocol/content/index.ts";
import { encodeCarrier } from "../../protocol/envelope/index.ts";
import { type Notice, signNotice } from "../../protocol/notice/index.ts";
import { accountContent, credentialContent, desired, historianContent } from "../support/paper-content.ts";
import { GatewayWorld } from "./gateway-world.ts";

const token = "token-of-the-historian";
const at = (byte: number) => new Uint8Array(16).fill(byte);

const account = (id: Uint8Array, path: string) => desired(id, accountContent(at(1), path));

function credential(of: Uint8Array, number: number, role: CredentialRole): DesiredEntry {
  return desired(at(10 * (of[0] ?? 0) + number), credentialContent(of, [number, `value-${number}`, role]));
}

const historian = desired(at(5), historianContent(token, ["plant-1/**", "plant-2/**"]));

t.test("only a newer word of the edge that owns the account changes what is served", async (t) => {
  const world = new GatewayWorld(t);
  await world.openVault();
  const [own, foreign] = [at(2), at(3)];
  world.desired = [
    historian,
    account(own, "plant-1/meter/operator"),
    ...[0, 1, 2].map((number) => credential(own, number, number === 0 ? "current" : "pending")),
    account(foreign, "plant-2/meter/operator"),
    credential(foreign, 0, "current"),
  ];
  const { parts } = await world.start();
  const edge = await world.joinEdge();
  const { opened } = world.openEdge(edge.store, edge.member);
  const { signing } = opened.node.identity;
  parts.node.learn(world.vault.statements());
  const desk = () =>
    new NoticeDesk({
      ...parts,
      log: createLog({ level: "silent", node: "test" }),
      account: (accountId) => parts.credentials.accountOf(accountId),
      onSwitch: () => {},
      onTaken: () => {},
    });
  const notice: Notice = {
    vaultId: world.vault.id,
    nodeId: edge.member.nodeId,
    accountId: own,
    index: { epoch: 1, number: 1 },
    state: "sent",
    leaf: { serial: 1, index: 10 },
  };
  const carry = (envelope: Uint8Array) => encodeCarrier({ statements: [], envelope, body: new Uint8Array(0) });
  const take = (change: Partial<Notice>, signer = signing) => desk().take(carry(signNotice({ ...notice, ...change }, signer)));
  const shown = () => {
    const found = parts.credentials.find("plant-1/meter/operator");
    return `${found?.version} ${found?.rotation} ${found?.alternates().map(({ version }) => version)}`;
  };
  const alarms = () => parts.node.status().waitingFacts;
  const before = alarms();

  t.equal(shown(), "1.0 idle 1.1,1.2", "the edge has no tunnel: all that it holds may be live");
  t.equal(take({}), "stored");
  t.equal(shown(), "1.0 in-progress 1.1,1.2");
  take({ state: "verified", leaf: { serial: 1, index: 20 } });
  t.equal(shown(), "1.1 idle 1.0,1.2");
  t.equal(take({ leaf: { serial: 1, index: 15 } }), "stored");
  take({ state: "reverted", index: { epoch: 1, number: 0 }, leaf: { serial: 1, index: 20 } });
  t.equal(shown(), "1.1 idle 1.0,1.2", "older words and replays change nothing");
  take({ state: "reverted", index: { epoch: 1, number: 0 }, leaf: { serial: 2, index: 1 } });
  t.equal(shown(), "1.0 idle 1.1,1.2", "a device that was reset");

  t.throws(() => take({ accountId: foreign, leaf: { serial: 9, index: 9 } }), { code: "NOTICE_NOT_OWNER" });
  t.throws(() => take({ leaf: { serial: 9, index: 9 } }, world.vault.signer), { code: "ENVELOPE_BAD_SIGNATURE" });
  t.throws(() => take({ nodeId: world.vault.signer.keyId }, world.vault.signer), { code: "NOTICE_NOT_OWNER" });
  t.equal(take({ accountId: at(9) }), "stored", "what nobody here reads is dropped");
  t.equal(shown(), "1.0 idle 1.1,1.2");
  t.equal(alarms(), before);

  t.equal(take({ state: "verified", index: { epoch: 1, number: 7 }, leaf: { serial: 3, index: 1 } }), "stored");
  t.equal(shown(), "1.0 idle 1.1,1.2", "what is not held cannot be served");
  t.equal(alarms(), before + 1, "an alarm for the vault");
  await world.until(() => world.facts.some(({ fact }) => fact.kind === "alarm" && fact.code === "NOTICE_UNKNOWN_VALUE"));
  t.ok(world.vault.node(world.gatewayId).sender.snapshotWanted, "and a snapshot is asked for");
});
