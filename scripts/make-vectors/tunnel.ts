// Writes protocol/vectors/tunnel.json: handshakes, frames and the payloads of frames.

import { concat, encodeTcbor, type Tcbor, u64be, utf8 } from "../../protocol/base/index.ts";
import { encodeCredit, encodeHopAck, encodePartHead } from "../../protocol/courier/wire.ts";
import { FrameWriter } from "../../protocol/tunnel/frame.ts";
import { encodeHello1, encodeHello3 } from "../../protocol/tunnel/messages.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import {
  bytes,
  direct,
  edge,
  ends,
  exporter,
  gateway,
  handshake,
  heads,
  hello1,
  hello3,
  lowOrder,
  m1,
  m2,
  m3,
  otherM2,
  otherM3,
  outcome,
  replaced,
  statements,
  stranger,
  successor,
  successorM2,
  world,
} from "./tunnel-sample.ts";
import { flipBit, variants, writeVectors } from "./write-vectors.ts";

const handshakes: VectorCase[] = [
  ["a handshake in mode direct", direct] as const,
  ["a handshake in mode proxy", handshake(new Uint8Array(0), [])] as const,
  ["a handshake that brings roots and a revoked list", handshake(exporter, statements)] as const,
  ["a handshake with the successor of the gateway that was dialled", replaced] as const,
].map(([name, made]) => ({ name, expect: "ok", kind: "handshake", ...made.ends, ...made.outcome }));

const firsts = variants({ ...ends, kind: "m1", expect: "TUNNEL_MALFORMED" }, [
  { name: "M1 alone", expect: "ok" },
  { name: "M1 of no known version", expect: "TUNNEL_VERSION", m1: encodeHello1({ ...hello1, versions: [2, 3] }) },
  { name: "M1 of a known version among others", expect: "ok", m1: encodeHello1({ ...hello1, versions: [1, 2] }) },
  { name: "M1 to another vault", expect: "TUNNEL_WRONG_VAULT", m1: encodeHello1({ ...hello1, vaultId: bytes(32, 1) }) },
  {
    name: "M1 to a node that the listener knows as revoked",
    expect: "ok",
    listenerStatements: [world.revoked(1, stranger)],
    m1: encodeHello1({ ...hello1, listener: stranger.nodeId }),
  },
  { name: "M1 to another node", expect: "TUNNEL_WRONG_PEER", m1: encodeHello1({ ...hello1, listener: edge.nodeId }) },
  {
    name: "M1 from the listener itself",
    expect: "TUNNEL_WRONG_PEER",
    m1: encodeHello1({ ...hello1, dialler: gateway.nodeId }),
  },
  { name: "M1 in the other mode", expect: "TUNNEL_MODE_MISMATCH", m1: encodeHello1({ ...hello1, mode: 0 }) },
  { name: "M1 in no mode", m1: encodeHello1({ ...hello1, mode: 2 }) },
  { name: "M1 with nine versions", m1: encodeHello1({ ...hello1, versions: [1, 1, 1, 1, 1, 1, 1, 1, 1] }) },
  { name: "M1 with a byte behind it", m1: concat(m1, bytes(1, 0)) },
  { name: "M1 cut short", m1: m1.subarray(0, -1) },
  { name: "M1 above 512 bytes", expect: "TUNNEL_TOO_LARGE", m1: bytes(513, 0) },
  { name: "M2 where M1 is due", expect: "TUNNEL_TOO_LARGE", m1: m2 },
]);

const seconds = variants({ ...ends, m2, kind: "m2", expect: "TUNNEL_WRONG_PEER" }, [
  { name: "M2 alone", expect: "ok" },
  { name: "M2 of another version", expect: "TUNNEL_VERSION", m2: otherM2({ version: 2 }) },
  { name: "M2 from another node", m2: otherM2({ listener: stranger.nodeId }) },
  { name: "M2 to another node", m2: otherM2({ dialler: stranger.nodeId }) },
  { name: "M2 in the other mode", expect: "TUNNEL_MODE_MISMATCH", m2: otherM2({ mode: 0 }) },
  { name: "M2 with another node's statement", m2: otherM2({ member: stranger.member }) },
  {
    name: "M2 with a statement that nobody signed",
    expect: "ENVELOPE_BAD_SIGNATURE",
    m2: otherM2({ member: flipBit(gateway.member, gateway.member.length * 8 - 20) }),
  },
  { name: "M2 with an all-zero ephemeral", expect: "TUNNEL_WEAK_EXCHANGE", m2: otherM2({ ephemeral: lowOrder }) },
  { name: "M2 with a turned bit in the signature", expect: "TUNNEL_BAD_SIGNATURE", m2: flipBit(m2, m2.length * 8 - 300) },
  { name: "M2 with a turned bit in the nonce", expect: "TUNNEL_BAD_SIGNATURE", m2: flipBit(m2, 80 * 8) },
  { name: "M2 under another exporter", expect: "TUNNEL_BAD_SIGNATURE", exporter: bytes(32, 0xe1) },
  { name: "M2 through another TLS key", expect: "TUNNEL_TLS_KEY", listenerTlsKeyHash: bytes(32, 1) },
  {
    name: "M2 that brings the list which revokes its sender",
    expect: "TRUST_REVOKED",
    m2: otherM2({ statements: [world.revoked(1, gateway)] }),
  },
  { name: "M2 with a root that leaves a gap", expect: "TRUST_ROOT_GAP", m2: otherM2({ statements: world.laterRoots(3, 3) }) },
  { name: "M2 of a signature only", expect: "TUNNEL_MALFORMED", m2: m2.subarray(-64) },
]);

const other = world.node(45, { role: 1 });
const namesake = world.node(47, { role: 2, name: "node-41" });
const successors = variants({ ...replaced.ends, m2: replaced.outcome.m2, kind: "m2", expect: "TUNNEL_WRONG_PEER" }, [
  { name: "M2 from the successor", expect: "ok" },
  { name: "M2 from the successor of a gateway of which no statement is held", diallerStatements: [] },
  {
    name: "M2 from a namesake while the gateway that was dialled is not revoked",
    m2: successorM2(successor, []),
  },
  {
    name: "M2 from a gateway of another name",
    m2: successorM2(other, [world.revoked(1, gateway)]),
    listenerTlsKeyHash: other.tlsKeyHash,
  },
  {
    name: "M2 from an edge that bears the gateway's name",
    m2: successorM2(namesake, [world.revoked(1, gateway)]),
    listenerTlsKeyHash: namesake.tlsKeyHash,
  },
  {
    name: "M2 from a successor that was replaced itself",
    expect: "TRUST_REVOKED",
    m2: successorM2(successor, [world.revoked(2, gateway, successor)]),
  },
  {
    name: "M2 from the gateway that was replaced",
    expect: "TRUST_REVOKED",
    m2: successorM2(gateway, []),
    listenerTlsKeyHash: gateway.tlsKeyHash,
    diallerStatements: [gateway.member, world.revoked(1, gateway)],
  },
]);

const thirds = variants({ ...ends, m2, m3, kind: "m3", expect: "TUNNEL_BAD_SIGNATURE" }, [
  { name: "M3 alone", expect: "ok" },
  {
    name: "M3 with another counter under the same signature",
    m3: concat(encodeHello3({ ...hello3, counter: 13 }), m3.subarray(-64)),
  },
  { name: "M3 signed by another key", m3: otherM3({}, stranger.signing) },
  {
    name: "M3 with another node's statement",
    expect: "TUNNEL_WRONG_PEER",
    m3: otherM3({ member: stranger.member }, stranger.signing),
  },
  { name: "M3 with a turned bit in the signature", m3: flipBit(m3, m3.length * 8 - 300) },
  { name: "M3 through another TLS key", expect: "TUNNEL_TLS_KEY", diallerTlsKeyHash: bytes(32, 1) },
  {
    name: "M3 with 513 heads",
    expect: "TUNNEL_MALFORMED",
    m3: otherM3({ heads: Array.from({ length: 513 }, () => heads).flat() }),
  },
  { name: "M3 with 512 heads", expect: "ok", m3: otherM3({ heads: Array.from({ length: 512 }, () => heads).flat() }) },
]);

const key = outcome.diallerToListener;
const writer = () => new FrameWriter(key);
const written = (() => {
  const one = writer();
  return [one.write(6, utf8("a")), one.write(4), one.write(1, bytes(300, 5))].map((frame) => new Uint8Array(frame));
})();
const [first = bytes(0, 0), second = bytes(0, 0), third = bytes(0, 0)] = written;
const reflected = new Uint8Array(new FrameWriter(outcome.listenerToDialler).write(6, utf8("a")));
const frames: VectorCase[] = variants({ kind: "frames", key, expect: "TUNNEL_FRAME_FORGED" }, [
  { name: "three frames", expect: "ok", frames: written, read: [`6 61`, `4 `, `1 ${"05".repeat(300)}`] },
  { name: "a frame of 40 bytes", expect: "TUNNEL_MALFORMED", frames: [first.subarray(0, 40)] },
  { name: "a frame replayed", expect: "TUNNEL_FRAME_ORDER", frames: [first, first] },
  { name: "a frame left out", expect: "TUNNEL_FRAME_ORDER", frames: [first, third] },
  { name: "a frame of the other direction", frames: [reflected] },
  { name: "a turned bit in the number", frames: [flipBit(first, 63)] },
  { name: "a turned bit in the kind", frames: [first, flipBit(second, 71)] },
  { name: "a turned bit in the payload", frames: [flipBit(first, 75)] },
  { name: "a turned bit in the HMAC", frames: [flipBit(first, first.length * 8 - 1)] },
  { name: "a frame cut by one byte", frames: [first.subarray(0, -1)] },
]);

const mailbox = edge.nodeId;
const id = bytes(32, 0x1d);
const head = (offset: number, total: number) => encodePartHead({ mailbox, id, offset, total });
const tcbor = (value: Tcbor) => encodeTcbor(value);
const payloads: VectorCase[] = variants({ expect: "COURIER_MALFORMED", kind: "part" }, [
  {
    name: "a part",
    expect: "ok",
    payload: concat(head(16_384, 16_387), utf8("end")),
    mailbox,
    id,
    offset: 16_384,
    total: 16_387,
    bytes: utf8("end"),
  },
  { name: "an empty part", payload: head(0, 5) },
  { name: "a part that ends behind its item", payload: concat(head(3, 5), utf8("end")) },
  { name: "a part with a short mailbox", payload: concat(tcbor([bytes(19, 1), id, 0, 3]), utf8("end")) },
  { name: "a part with five fields", payload: concat(tcbor([mailbox, id, 0, 3, 0]), utf8("end")) },
  {
    name: "a hop acknowledgement: stored",
    kind: "hop ack",
    expect: "ok",
    payload: encodeHopAck({ mailbox, id }, "stored"),
    mailbox,
    id,
    outcome: "stored",
  },
  {
    name: "a hop acknowledgement: refused",
    kind: "hop ack",
    expect: "ok",
    payload: tcbor([mailbox, id, 1]),
    mailbox,
    id,
    outcome: "refused",
  },
  {
    name: "a hop acknowledgement: too large",
    kind: "hop ack",
    expect: "ok",
    payload: tcbor([mailbox, id, 2]),
    mailbox,
    id,
    outcome: "too-large",
  },
  {
    name: "a hop acknowledgement: full",
    kind: "hop ack",
    expect: "ok",
    payload: tcbor([mailbox, id, 3]),
    mailbox,
    id,
    outcome: "full",
  },
  { name: "a hop acknowledgement of no kind", kind: "hop ack", payload: tcbor([mailbox, id, 4]) },
  { name: "a hop acknowledgement with bytes behind it", kind: "hop ack", payload: concat(tcbor([mailbox, id, 0]), u64be(0)) },
  { name: "a credit", kind: "credit", expect: "ok", payload: encodeCredit(262_144), total: 262_144 },
  { name: "a credit that is text", kind: "credit", payload: tcbor("262144") },
]);

writeVectors("tunnel", {
  area: "tunnel",
  about:
    "Handshakes, frames and payloads. A handshake is of a dialler and a listener, whose identity keys have the seeds given; `…Random` is the ephemeral X25519 private key, then the nonce. " +
    "The dialler holds root 1 and has applied `diallerStatements`, where they are given; the listener has applied `listenerStatements`. The dialler dials the listener, or the node id `dialled`. An empty `exporter` is mode proxy. The dialler tells one head: its own id, epoch 1, seq 7, id 32 × 09.",
  cases: [...handshakes, ...firsts, ...seconds, ...successors, ...thirds, ...frames, ...payloads],
});
