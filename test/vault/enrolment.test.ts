import { createPublicKey } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { identityOf, newIdentitySeeds } from "../../agent/identity/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { decodeCarrier, decodeEnvelope, encodeCarrier, encodeEnvelope } from "../../protocol/envelope/index.ts";
import { type EnrolmentCode, makeJoinRequest, parseEnrolmentCode } from "../../protocol/join/index.ts";
import { decodeRevoked, maxRevoked, memberOf, newestRoot, signRevoked, startTrust } from "../../protocol/trust/index.ts";
import { answerJoin } from "../../vault/enrolment/index.ts";
import { codeLifeMs, maxOpenCodes } from "../../vault/enrolment/limits.ts";
import { putStatement } from "../../vault/identity/index.ts";
import { initVault } from "../../vault/init/index.ts";
import { activeNodes } from "../../vault/registry/index.ts";
import { issueBundle } from "../../vault/streams/index.ts";
import { shortFolder } from "../support/short-folder.ts";
import { random } from "./rig.ts";
import { StillSeams, type TestNode, VaultRig } from "./vault-rig.ts";

const edge = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

async function codeFor(rig: VaultRig, enrolment: Record<string, unknown> = edge): Promise<EnrolmentCode> {
  return parseEnrolmentCode(String((await rig.call("POST", "/v1/codes", enrolment))["code"]));
}

/** A join request with new keys, and those keys. */
function requestFor(code: EnrolmentCode, replaces: Uint8Array | null = null) {
  const identity = identityOf(newIdentitySeeds(random));
  const envelope = makeJoinRequest({
    code,
    signing: identity.signing,
    sealKey: identity.sealing.publicKey,
    tlsKeyHash: identity.tls.spkiHash,
    logKey: identity.log.publicKey,
    epochKey: identity.epochKey,
    nonce: random(16),
    replaces,
  });
  const body = new Uint8Array(createPublicKey(identity.tls.key).export({ format: "der", type: "spki" }));
  return { identity, envelope, body, carrier: encodeCarrier({ statements: [], envelope, body }) };
}

t.test("the answer proves the whole chain from the root that the code pins", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz" });
  const code = await codeFor(rig, { ...edge, via: "gw-1" });
  t.match(code, { role: 2, name: "edge-1", address: "127.0.0.1:7444", rootVersion: 1 });
  const { identity, carrier } = requestFor(code);
  const { carrier: answer } = await answerJoin(rig.core, carrier);
  const trust = startTrust(decodeCarrier(answer).statements, { version: code.rootVersion, id: code.rootId });
  t.match(memberOf(trust, identity.nodeId), { name: "edge-1", zone: "plant", role: 2, serial: 1 });
  t.same([...trust.members.values()].map(({ statement }) => statement.name).sort(), ["edge-1", "gw-1", "vault"]);
  t.equal(newestRoot(trust).document.threshold, 1);
});

t.test("a code works for one request, which gets the same answer as often as it is sent", async (t) => {
  const rig = await VaultRig.make(t);
  const code = await codeFor(rig);
  const first = requestFor(code);
  const answer = await answerJoin(rig.core, first.carrier);
  await rig.reopen();
  t.same((await answerJoin(rig.core, first.carrier)).carrier, answer.carrier);
  await t.rejects(answerJoin(rig.core, requestFor(code).carrier), { code: "ENROL_CODE_USED" });
});

t.test("of two requests at one moment with one code, one is answered", async (t) => {
  const rig = await VaultRig.make(t);
  const code = await codeFor(rig);
  const both = await Promise.allSettled(
    [requestFor(code), requestFor(code)].map(({ carrier }) => answerJoin(rig.core, carrier)),
  );
  t.same(both.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

t.test("a code lives one hour by the vault's clock", async (t) => {
  const rig = await VaultRig.make(t);
  const [early, late] = [await codeFor(rig), await codeFor(rig, { ...edge, name: "edge-2", zone: "field" })];
  rig.seams.nowMs += codeLifeMs - 1;
  await answerJoin(rig.core, requestFor(early).carrier);
  rig.seams.nowMs += 1;
  await t.rejects(answerJoin(rig.core, requestFor(late).carrier), { code: "ENROL_CODE_EXPIRED" });
});

t.test("a request that anybody touched, or that is no match for its code, is refused and burns nothing", async (t) => {
  const rig = await VaultRig.make(t);
  const other = await VaultRig.make(t);
  const code = await codeFor(rig);
  const good = requestFor(code);
  const thief = requestFor(code);
  const { type, payload } = decodeEnvelope(good.envelope);
  const swapped = decodeEnvelope(thief.envelope);
  const resigned = encodeEnvelope(type, payload, swapped.signatures);
  const guess = requestFor({ ...code, secret: (await codeFor(rig, { ...edge, name: "edge-9", zone: "other" })).secret });
  const cases: [string, Uint8Array, string][] = [
    ["a code of another vault", requestFor(await codeFor(other)).carrier, "ENROL_CODE_UNKNOWN"],
    ["another secret", guess.carrier, "JOIN_MAC"],
    ["another name than enrolled", requestFor({ ...code, name: "edge-7" }).carrier, "JOIN_NOT_AS_ENROLLED"],
    ["a role above the enrolled", requestFor({ ...code, role: 1 }).carrier, "JOIN_NOT_AS_ENROLLED"],
    ["a root of somebody else", requestFor({ ...code, rootId: new Uint8Array(32) }).carrier, "JOIN_ROOT"],
    [
      "a signature by another key",
      encodeCarrier({ statements: [], envelope: resigned, body: good.body }),
      "ENVELOPE_BAD_SIGNATURE",
    ],
    ["the TLS key of another", encodeCarrier({ statements: [], envelope: good.envelope, body: thief.body }), "ENROL_TLS_KEY"],
    ["no TLS key", encodeCarrier({ statements: [], envelope: good.envelope, body: new Uint8Array(0) }), "ENROL_TLS_KEY"],
    ["a node that is not there to be replaced", requestFor(code, new Uint8Array(20)).carrier, "ENROL_REPLACES"],
  ];
  for (const [title, carrier, expected] of cases) await t.rejects(answerJoin(rig.core, carrier), { code: expected }, title);
  t.ok((await answerJoin(rig.core, good.carrier)).carrier, "the code still works");
});

t.test("every flipped bit of a join request is refused", async (t) => {
  const rig = await VaultRig.make(t);
  const { envelope, body } = requestFor(await codeFor(rig));
  // Each byte of the envelope once, a different bit each time: a flip in each field, in the MAC and in the signature.
  for (let at = 0; at < envelope.length; at += 7) {
    const flipped = envelope.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    const carrier = encodeCarrier({ statements: [], envelope: flipped, body });
    const error = await answerJoin(rig.core, carrier).then(
      () => ({ code: "accepted" }),
      (refusal: { code?: string }) => refusal,
    );
    if (!/^(JOIN|ENVELOPE|TCBOR|KEY|ENROL|CARRIER)_/.test(String(error.code))) t.fail(`byte ${at}: ${error.code}`);
  }
  t.same((await rig.call("GET", "/v1/nodes")) as unknown, []);
});

t.test("a key enrols once", async (t) => {
  const rig = await VaultRig.make(t);
  const code = await codeFor(rig);
  const first = requestFor(code);
  await answerJoin(rig.core, first.carrier);
  const again = await codeFor(rig, { ...edge, name: "edge-2", zone: "field" });
  const { identity, body } = first;
  const envelope = makeJoinRequest({
    code: again,
    signing: identity.signing,
    sealKey: identity.sealing.publicKey,
    tlsKeyHash: identity.tls.spkiHash,
    logKey: identity.log.publicKey,
    epochKey: identity.epochKey,
    nonce: random(16),
    replaces: null,
  });
  await t.rejects(answerJoin(rig.core, encodeCarrier({ statements: [], envelope, body })), { code: "ENROL_NODE_KNOWN" });
});

t.test("what cannot be enrolled is refused with every reason at once", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, edge);
  await t.rejects(rig.call("POST", "/v1/codes", { ...edge, name: "edge-2" }), { code: "REGISTRY_EXISTS" });
  await t.rejects(rig.call("POST", "/v1/codes", { ...edge, via: "nobody" }), { code: "REGISTRY_NOT_FOUND" });
  await t.rejects(
    rig.call("POST", "/v1/codes", { name: "gw", role: "gateway", zone: "dmz", via: "edge-1", address: "nowhere" }),
    {
      code: "REGISTRY_INVALID",
      problems: [{ path: "via" }, { path: "via" }, { path: "address" }],
    },
  );
  await t.rejects(rig.call("POST", "/v1/codes", { name: "Gw", role: "router", zone: "", extra: 1 }), {
    code: "REQUEST_INVALID",
    problems: [{ path: "name" }, { path: "role" }, { path: "zone" }, { path: "extra" }],
  });
});

t.test("open codes are bounded, and those that expired do not count", async (t) => {
  const rig = await VaultRig.make(t);
  await codeFor(rig);
  await rig.core.store.transaction(async (tx) => {
    const row = await tx.selectFrom("codes").selectAll().executeTakeFirstOrThrow();
    for (let i = 2; i < maxOpenCodes; i += 1)
      await tx
        .insertInto("codes")
        .values({ ...row, code_id: random(16) })
        .execute();
  });
  await codeFor(rig);
  await t.rejects(codeFor(rig), { code: "REGISTRY_INVALID" });
  rig.seams.nowMs += codeLifeMs;
  await codeFor(rig);
});

t.test("a vault is made whole or not at all", async (t) => {
  const parent = shortFolder(t);
  const seams = new StillSeams();
  const keyFile = join(parent, "key");
  createKeyFile(keyFile, random);
  const init = (name: string, more: object = {}) =>
    initVault({
      path: join(parent, name),
      unlock: async () => ({ kind: "key-file", path: keyFile }),
      trustDomain: "plant.example",
      listen: "127.0.0.1:0",
      advertise: null,
      version: "test",
      seams,
      ...more,
    });
  mkdirSync(join(parent, "full"));
  writeFileSync(join(parent, "full", "something"), "");
  await t.rejects(init("full"), { code: "VAULT_FOLDER_NOT_EMPTY" });
  t.same(readdirSync(join(parent, "full")), ["something"]);
  await t.rejects(init("v", { trustDomain: "No Domain" }), { code: "VAULT_INIT_INVALID" });
  await t.rejects(init("v", { listen: "nonsense" }), { code: "VAULT_INIT_INVALID", message: /listen/ });
  await t.rejects(init("v", { advertise: "vault.example" }), { code: "VAULT_INIT_INVALID", message: /advertise/ });
  await t.rejects(init("v", { unlock: async () => ({ kind: "key-file", path: join(parent, "missing") }) }), {
    code: "SEAL_KEY_FILE",
  });
  for (let draws = 0; draws < 20; draws += 3) {
    const failing = { clock: seams.clock, timers: seams.timers, random: failAfter(draws) };
    await t.rejects(init("v", { seams: failing }), { message: "no more random bytes" }, `stopped at draw ${draws}`);
  }
  t.notOk(existsSync(join(parent, "v")));
  t.same(readdirSync(parent).sort(), ["full", "key"], "nothing is left beside it either");
  const made = await init("v");
  t.same(readdirSync(made.folder).sort(), ["keys", "node.db", "tidegate.yaml"]);
  for (const name of ["keys", "node.db", "tidegate.yaml", "keys/root.sealed", "keys/recovery.sealed"]) {
    t.equal(statSync(join(made.folder, name)).mode & 0o077, 0, `${name} is its owner's alone`);
  }
  await t.rejects(init("v"), { code: "VAULT_FOLDER_NOT_EMPTY" });
});

/** Random bytes that run out in the middle of things. */
function failAfter(count: number) {
  let left = count;
  return (length: number) => {
    left -= 1;
    if (left < 0) throw new Error("no more random bytes");
    return random(length);
  };
}

t.test("a name is given again to a node of the same kind only", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz" });
  await t.rejects(codeFor(rig, { ...edge, name: "gw-1" }), { code: "REGISTRY_EXISTS" });
  t.match(await codeFor(rig, { name: "gw-1", role: "gateway", zone: "dmz" }), { name: "gw-1", role: 1 });
});

t.test("who was replaced is told to every gateway at once, and to each edge once, with the next bundle", async (t) => {
  const rig = await VaultRig.make(t);
  await rig.join(t, { name: "gw-1", role: "gateway", zone: "dmz" });
  const gateway = await rig.join(t, { name: "gw-2", role: "gateway", zone: "dmz-2" });
  const other = await rig.join(t, { ...edge, name: "edge-2", zone: "field", via: "gw-2" });
  const old = await rig.join(t, { ...edge, via: "gw-1" });
  const revoked = async ({ node: { nodeId } }: TestNode) =>
    (await rig.outbox(nodeId)).map((carrier) =>
      decodeCarrier(carrier)
        .statements.map((statement) => decodeEnvelope(statement))
        .filter(({ type }) => type === "revoked")
        .flatMap(({ payload }) => decodeRevoked(payload).nodes.map((node) => node.nodeId)),
    );
  t.same((await revoked(gateway)).flat(), []);
  const { reached } = await answerJoin(rig.core, requestFor(await codeFor(rig, { ...edge, via: "gw-1" })).carrier);
  t.ok(
    reached.some((nodeId) => sameBytes(nodeId, gateway.node.nodeId)),
    "also one that the edge did not go through",
  );
  t.same((await revoked(gateway)).at(-1), [old.node.nodeId]);
  t.same((await revoked(other)).flat(), [], "nothing is sent to an edge for this alone");
  for (const name of ["a", "b"]) await rig.addPump("field", { name: `pump-${name}` });
  t.same((await revoked(other)).slice(-2), [[old.node.nodeId], []]);
  const again = rig.core.store.transaction(async (tx) => {
    for (const node of await activeNodes(tx)) t.equal(await issueBundle(rig.core, tx, node), null, node.name);
  });
  await again;
});

t.test("a revoked list takes so many nodes; the next one to be replaced is refused by its code", async (t) => {
  for (const [listed, code] of [
    [maxRevoked - 1, null],
    [maxRevoked, "TRUST_TOO_MANY"],
  ] as const) {
    const rig = await VaultRig.make(t);
    await rig.join(t, edge);
    const nodes = Array.from({ length: listed }, () => ({ nodeId: random(20), serial: 1 }));
    const list = signRevoked({ vaultId: rig.core.vaultId, version: 1, nodes }, rig.core.keys.identity.signing);
    await rig.core.store.transaction((tx) => putStatement(tx, list, random));
    const answer = answerJoin(rig.core, requestFor(await codeFor(rig)).carrier);
    if (code === null) t.ok(await answer);
    else await t.rejects(answer, { code });
  }
});
