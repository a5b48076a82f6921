import { concat, fromHex, type Random, toHex } from "../../protocol/base/index.ts";
import { decodeCredit, decodeHopAck, decodePart } from "../../protocol/courier/wire.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { applyStatements, startTrust } from "../../protocol/trust/index.ts";
import { DiallerHandshake } from "../../protocol/tunnel/dialler-handshake.ts";
import { FrameReader } from "../../protocol/tunnel/frame.ts";
import type { HandshakeOptions, HandshakeResult } from "../../protocol/tunnel/handshake.ts";
import { type ChannelBinding, tunnelTrust } from "../../protocol/tunnel/index.ts";
import { ListenerHandshake } from "../../protocol/tunnel/listener-handshake.ts";
import { transcript2, transcript3, transcript4 } from "../../protocol/tunnel/transcript.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Handshakes, frames and the payloads of frames. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  switch (vector["kind"]) {
    case "handshake":
      return checkHandshake(vector);
    case "m1":
      listenerOf(vector).answer(bytesOf(vector, "m1"));
      return;
    case "m2":
      diallerOf(vector).answer(bytesOf(vector, "m2"), () => {});
      return;
    case "m3": {
      const listener = listenerOf(vector);
      expectBytes(vector, "m2", listener.answer(bytesOf(vector, "m1")));
      listener.finish(bytesOf(vector, "m3"));
      return;
    }
    case "frames":
      return checkFrames(vector);
    case "part": {
      const part = decodePart(bytesOf(vector, "payload"));
      for (const field of ["mailbox", "id", "bytes"] as const) expectBytes(vector, field, part[field]);
      for (const field of ["offset", "total"] as const) expectSame(vector, field, part[field]);
      return;
    }
    case "hop ack": {
      const { key, outcome } = decodeHopAck(bytesOf(vector, "payload"));
      for (const field of ["mailbox", "id"] as const) expectBytes(vector, field, key[field]);
      return expectSame(vector, "outcome", outcome);
    }
    case "credit":
      return expectSame(vector, "total", decodeCredit(bytesOf(vector, "payload")));
    default:
      throw new Error(`kind ${String(vector["kind"])}`);
  }
}

/** Both ends run on the vector's seeds: every message, hash and key must be the vector's. */
function checkHandshake(vector: VectorCase): void {
  const dialler = diallerOf(vector);
  const listener = listenerOf(vector);
  expectBytes(vector, "m1", dialler.first);
  const m2 = listener.answer(dialler.first);
  expectBytes(vector, "m2", m2);
  const atDialler = dialler.answer(m2, () => {});
  expectBytes(vector, "m3", atDialler.m3);
  checkTranscript(vector, { m1: dialler.first, m2, m3: atDialler.m3 });
  checkKeys(vector, atDialler);
  checkKeys(vector, listener.finish(atDialler.m3));
}

function checkTranscript(vector: VectorCase, messages: { m1: Uint8Array; m2: Uint8Array; m3: Uint8Array }): void {
  const unsigned = (message: Uint8Array) => message.subarray(0, -64);
  const signature = (message: Uint8Array) => message.subarray(-64);
  const th2 = transcript2(messages.m1, unsigned(messages.m2), bytesOf(vector, "exporter"));
  const th3 = transcript3(th2, signature(messages.m2), unsigned(messages.m3));
  expectBytes(vector, "th2", th2);
  expectBytes(vector, "th3", th3);
  expectBytes(vector, "th4", transcript4(th3, signature(messages.m3)));
}

function checkKeys(vector: VectorCase, { keys }: HandshakeResult): void {
  expectBytes(vector, "diallerToListener", keys.diallerToListener);
  expectBytes(vector, "listenerToDialler", keys.listenerToDialler);
  expectBytes(vector, "sessionId", keys.sessionId);
}

/** Frames of one direction, one after the other. */
function checkFrames(vector: VectorCase): void {
  const reader = new FrameReader(bytesOf(vector, "key"));
  const read = (vector["frames"] as string[]).map((hex) => reader.read(fromHex(hex) ?? new Uint8Array(0)));
  const found = read.map(({ kind, payload }) => `${kind} ${toHex(payload)}`);
  if (JSON.stringify(found) !== JSON.stringify(vector["read"])) throw new Error(`read ${found.join(", ")}`);
}

function diallerOf(vector: VectorCase): DiallerHandshake {
  const peer = vector["dialled"] === undefined ? keyIdOf(vector, "listenerSeed") : bytesOf(vector, "dialled");
  return new DiallerHandshake({
    ...optionsOf(vector, "dialler", "listener"),
    peer,
    counter: Number(vector["counter"]),
    heads: [{ nodeId: keyIdOf(vector, "diallerSeed"), epoch: 1, seq: 7, id: new Uint8Array(32).fill(9) }],
  });
}

function listenerOf(vector: VectorCase): ListenerHandshake {
  return new ListenerHandshake(optionsOf(vector, "listener", "dialler"));
}

/** What one end brings: its seed, member statement, random bytes, trust, and what its TLS says. */
function optionsOf(vector: VectorCase, end: "dialler" | "listener", other: "dialler" | "listener"): HandshakeOptions {
  const signing = signingKeyFromSeed(bytesOf(vector, `${end}Seed`));
  const root = bytesOf(vector, "root");
  const started = startTrust([root], { version: 1, id: decodeEnvelope(root).id });
  const { state } = applyStatements(
    started,
    ((vector[`${end}Statements`] ?? []) as string[]).map((hex) => fromHex(hex) ?? root),
  );
  return {
    nodeId: signing.keyId,
    signing,
    member: bytesOf(vector, `${end}Member`),
    trust: tunnelTrust(state),
    binding: bindingOf(vector, other),
    random: drawing(bytesOf(vector, `${end}Random`)),
  };
}

function bindingOf(vector: VectorCase, peer: "dialler" | "listener"): ChannelBinding {
  const exporter = bytesOf(vector, "exporter");
  if (exporter.length === 0) return { mode: "proxy" };
  return { mode: "direct", exporter, peerKeyHash: bytesOf(vector, `${peer}TlsKeyHash`), peerSignedBy: () => true };
}

function keyIdOf(vector: VectorCase, field: string): Uint8Array {
  return signingKeyFromSeed(bytesOf(vector, field)).keyId;
}

/** The vector's random bytes in order: the ephemeral X25519 key, then the nonce. */
function drawing(bytes: Uint8Array): Random {
  let left = concat(bytes);
  return (length) => {
    const drawn = left.slice(0, length);
    left = left.slice(length);
    return drawn;
  };
}
