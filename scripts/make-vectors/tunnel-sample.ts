// The handshakes that the vectors of tunnel.json are made of.

import { concat } from "../../protocol/base/index.ts";
import { agreementKeyFromSeed } from "../../protocol/keys/index.ts";
import { applyStatements } from "../../protocol/trust/index.ts";
import { DiallerHandshake } from "../../protocol/tunnel/dialler-handshake.ts";
import { type ChannelBinding, tunnelTrust } from "../../protocol/tunnel/index.ts";
import { ListenerHandshake } from "../../protocol/tunnel/listener-handshake.ts";
import { decodeHello1, decodeHello2, decodeHello3, encodeHello2, encodeHello3 } from "../../protocol/tunnel/messages.ts";
import { diallerMessage, listenerMessage, transcript2, transcript3, transcript4 } from "../../protocol/tunnel/transcript.ts";
import { type TunnelMember, TunnelWorld } from "../../test/support/tunnel-members.ts";

export const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte);
export const world = new TunnelWorld();
export const gateway = world.node(41, { role: 1 });
export const edge = world.node(42);
export const stranger = world.node(43);
export const successor = world.node(44, { role: 1, name: "node-41" });
export const statements = [...world.laterRoots(2, 3), world.revoked(1, stranger)];
export const exporter = bytes(32, 0xe0);
export const heads = [{ nodeId: edge.nodeId, epoch: 1, seq: 7, id: bytes(32, 9) }];
const counter = 12;
const random = { dialler: concat(bytes(32, 0xd1), bytes(32, 0xd2)), listener: concat(bytes(32, 0xa1), bytes(32, 0xa2)) };

function drawing(from: Uint8Array) {
  let at = 0;
  return (length: number) => {
    at += length;
    return from.slice(at - length, at);
  };
}

function binding(peer: TunnelMember, bound: Uint8Array): ChannelBinding {
  if (bound.length === 0) return { mode: "proxy" };
  return { mode: "direct", exporter: bound, peerKeyHash: peer.tlsKeyHash, peerSignedBy: () => true };
}

/** A handshake of edge and gateway, or of the edge that dials the gateway and its successor, with everything that it is made of. */
export function handshake(bound: Uint8Array, listenerStatements: Uint8Array[], at = gateway) {
  const listenerTrust = tunnelTrust(applyStatements(world.state, listenerStatements).state);
  const diallerStatements = at === gateway ? [] : [gateway.member];
  const dialler = new DiallerHandshake({
    ...edge,
    trust: tunnelTrust(applyStatements(world.state, diallerStatements).state),
    binding: binding(at, bound),
    random: drawing(random.dialler),
    peer: gateway.nodeId,
    counter,
    heads,
  });
  const listener = new ListenerHandshake({
    ...at,
    trust: listenerTrust,
    binding: binding(edge, bound),
    random: drawing(random.listener),
  });
  const m1 = dialler.first;
  const m2 = listener.answer(m1);
  const { m3, keys } = dialler.answer(m2, () => {});
  const th2 = transcript2(m1, m2.subarray(0, -64), bound);
  const th3 = transcript3(th2, m2.subarray(-64), m3.subarray(0, -64));
  const ends = {
    root: world.rootEnvelope,
    listenerStatements,
    diallerSeed: bytes(32, 42),
    diallerMember: edge.member,
    diallerTlsKeyHash: edge.tlsKeyHash,
    diallerRandom: random.dialler,
    listenerSeed: at === gateway ? bytes(32, 41) : bytes(32, 44),
    listenerMember: at.member,
    listenerTlsKeyHash: at.tlsKeyHash,
    listenerRandom: random.listener,
    exporter: bound,
    counter,
    m1,
    ...(at === gateway ? {} : { dialled: gateway.nodeId, diallerStatements }),
  };
  const outcome = {
    m2,
    m3,
    th2,
    th3,
    th4: transcript4(th3, m3.subarray(-64)),
    diallerToListener: keys.diallerToListener,
    listenerToDialler: keys.listenerToDialler,
    sessionId: keys.sessionId,
  };
  return { ends, outcome };
}

export const direct = handshake(exporter, []);
export const { ends, outcome } = direct;
export const { m1 } = ends;
export const { m2, m3 } = outcome;
const { th2 } = outcome;
export const hello1 = decodeHello1(m1);
export const hello2 = decodeHello2(m2).hello;
export const hello3 = decodeHello3(m3).hello;
export const lowOrder = agreementKeyFromSeed(bytes(32, 1)).publicKey.map(() => 0);

/** M2 with changed fields, signed again by the gateway. */
export function otherM2(changes: Partial<typeof hello2>): Uint8Array {
  const signed = encodeHello2({ ...hello2, ...changes });
  return concat(signed, gateway.signing.sign(listenerMessage(transcript2(m1, signed, exporter))));
}

export const replaced = handshake(exporter, [world.revoked(1, gateway)], successor);

/** M2 of an edge's or gateway's own making in answer to the M1 that looks for the gateway that was replaced. */
export function successorM2(by: TunnelMember, statements: Uint8Array[]): Uint8Array {
  const { hello } = decodeHello2(replaced.outcome.m2);
  const signed = encodeHello2({ ...hello, listener: by.nodeId, member: by.member, statements });
  return concat(signed, by.signing.sign(listenerMessage(transcript2(replaced.ends.m1, signed, exporter))));
}

/** M3 with changed fields, signed again by `signer`. */
export function otherM3(changes: Partial<typeof hello3>, signer = edge.signing): Uint8Array {
  const signed = encodeHello3({ ...hello3, ...changes });
  return concat(signed, signer.sign(diallerMessage(transcript3(th2, m2.subarray(-64), signed))));
}
