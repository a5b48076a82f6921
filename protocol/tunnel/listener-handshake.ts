import { assert, sameBytes } from "../base/index.ts";
import type { AgreementKey } from "../keys/index.ts";
import { TunnelError } from "./errors.ts";
import {
  agree,
  ephemeralKey,
  exporterOf,
  type HandshakeOptions,
  type HandshakeResult,
  modeNumber,
  trustPeer,
  tunnelVersion,
} from "./handshake.ts";
import { maxHello2Bytes, maxStatements } from "./limits.ts";
import { decodeHello1, decodeHello3, encodeHello2, type Hello1, withSignature } from "./messages.ts";
import { deriveKeys, diallerMessage, listenerMessage, transcript2, transcript3, transcript4 } from "./transcript.ts";

/** Bytes of M2 that are not statements: fixed fields, our member statement (16 KiB) and the signature, rounded up. */
const otherBytes = 20_480;

interface Answered {
  readonly hello1: Hello1;
  readonly ephemeral: AgreementKey;
  readonly th2: Uint8Array;
  readonly signature: Uint8Array;
}

/** The listener's half of the handshake: M2 for a good M1, then the session for a good M3. */
export class ListenerHandshake {
  readonly #options: HandshakeOptions;
  #answered: Answered | null = null;

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** M2 for M1. Throws TUNNEL_* codes. */
  answer(m1: Uint8Array): Uint8Array {
    const { nodeId, trust, binding, random, member, signing } = this.#options;
    const hello1 = decodeHello1(m1);
    this.#expect(hello1);
    const ephemeral = ephemeralKey(random);
    const m2 = encodeHello2({
      version: tunnelVersion,
      listener: nodeId,
      dialler: hello1.dialler,
      nonce: random(32),
      ephemeral: ephemeral.publicKey,
      mode: modeNumber(binding),
      member,
      statements: thatFit(trust.statementsAbove(hello1.rootVersion)),
    });
    const th2 = transcript2(m1, m2, exporterOf(binding));
    const signature = signing.sign(listenerMessage(th2));
    this.#answered = { hello1, ephemeral, th2, signature };
    return withSignature(m2, signature);
  }

  /** The session for M3. Throws TUNNEL_* and TRUST_* codes. */
  finish(m3: Uint8Array): HandshakeResult {
    const answered = this.#answered;
    assert(answered !== null, "M3 is read after M2 was sent");
    const { trust, binding } = this.#options;
    const { hello, signed, signature } = decodeHello3(m3);
    const peer = trustPeer({ trust, binding, statement: hello.member, nodeId: answered.hello1.dialler });
    const th3 = transcript3(answered.th2, answered.signature, signed);
    if (!peer.verify(diallerMessage(th3), signature)) throw new TunnelError("TUNNEL_BAD_SIGNATURE", "dialler's signature");
    const secret = agree(answered.ephemeral, answered.hello1.ephemeral);
    const keys = deriveKeys(secret, exporterOf(binding), transcript4(th3, signature));
    return { peer, counter: hello.counter, heads: hello.heads, keys };
  }

  #expect(hello: Hello1): void {
    const { nodeId, trust, binding } = this.#options;
    if (!hello.versions.includes(tunnelVersion)) throw new TunnelError("TUNNEL_VERSION", "no version in common");
    if (!sameBytes(hello.vaultId, trust.vaultId)) throw new TunnelError("TUNNEL_WRONG_VAULT", "a node of another vault");
    // Who dials a node that was revoked may be looking for us, who took its place: our statement lets it judge.
    if (!sameBytes(hello.listener, nodeId) && !trust.lists(hello.listener)) {
      throw new TunnelError("TUNNEL_WRONG_PEER", "the dialler looks for another node");
    }
    if (sameBytes(hello.dialler, nodeId)) throw new TunnelError("TUNNEL_WRONG_PEER", "the dialler says it is this node");
    if (hello.mode !== modeNumber(binding)) throw new TunnelError("TUNNEL_MODE_MISMATCH", "the dialler is in another mode");
  }
}

/** As many statements, from the first, as one M2 holds: a node that slept through many roots gets the next ones at its next dial. */
function thatFit(statements: readonly Uint8Array[]): Uint8Array[] {
  const out: Uint8Array[] = [];
  let bytes = otherBytes;
  for (const one of statements) {
    bytes += one.length + 5;
    if (bytes > maxHello2Bytes || out.length === maxStatements) break;
    out.push(one);
  }
  return out;
}
