import { sameBytes } from "../base/index.ts";
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
import { maxHeadsPerMessage } from "./limits.ts";
import { decodeHello2, encodeHello1, encodeHello3, type Hello2, withSignature } from "./messages.ts";
import type { StreamHead } from "./stream-head.ts";
import { deriveKeys, diallerMessage, listenerMessage, transcript2, transcript3, transcript4 } from "./transcript.ts";

export interface DiallerHandshakeOptions extends HandshakeOptions {
  /** The node that we dial, 20 bytes. */
  readonly peer: Uint8Array;
  /** Above every number of a session before, durable. */
  readonly counter: number;
  readonly heads: readonly StreamHead[];
}

/** The dialler's half of the handshake: M1, then M3 for a good M2. */
export class DiallerHandshake {
  readonly #options: DiallerHandshakeOptions;
  readonly #ephemeral: AgreementKey;
  /** M1, to be sent first. */
  readonly first: Uint8Array;

  constructor(options: DiallerHandshakeOptions) {
    this.#options = options;
    this.#ephemeral = ephemeralKey(options.random);
    this.first = encodeHello1({
      versions: [tunnelVersion],
      vaultId: options.trust.vaultId,
      dialler: options.nodeId,
      listener: options.peer,
      nonce: options.random(32),
      ephemeral: this.#ephemeral.publicKey,
      mode: modeNumber(options.binding),
      rootVersion: options.trust.rootVersion,
    });
  }

  /**
   * Answers M2. `learned` is called with roots and revoked list once they verified, before anything else is judged: they count even
   * where the handshake then fails. A listener that took the place of the one dialled is good too; `learned` is then called with its
   * statement as well, once everything was judged. Throws TUNNEL_* and TRUST_* codes.
   */
  answer(bytes: Uint8Array, learned: (statements: readonly Uint8Array[]) => void): HandshakeResult & { m3: Uint8Array } {
    const options = this.#options;
    const { hello, signed, signature } = decodeHello2(bytes);
    this.#expect(hello);
    const trust = hello.statements.length === 0 ? options.trust : options.trust.learn(hello.statements);
    if (trust !== options.trust) learned(hello.statements);
    const { binding, counter, heads } = options;
    const peer = trustPeer({ trust, binding, statement: hello.member, nodeId: hello.listener });
    const dialled = sameBytes(hello.listener, options.peer);
    if (!dialled && !trust.succeeds(peer, options.peer)) {
      throw new TunnelError("TUNNEL_WRONG_PEER", "neither the node that was dialled nor its successor");
    }
    const exporter = exporterOf(binding);
    const th2 = transcript2(this.first, signed, exporter);
    if (!peer.verify(listenerMessage(th2), signature)) throw new TunnelError("TUNNEL_BAD_SIGNATURE", "listener's signature");
    const secret = agree(this.#ephemeral, hello.ephemeral);
    if (!dialled) learned([hello.member]);
    const m3 = encodeHello3({ member: options.member, counter, heads: heads.slice(0, maxHeadsPerMessage) });
    const th3 = transcript3(th2, signature, m3);
    const ownSignature = options.signing.sign(diallerMessage(th3));
    const keys = deriveKeys(secret, exporter, transcript4(th3, ownSignature));
    return { peer, counter, heads: [], keys, m3: withSignature(m3, ownSignature) };
  }

  #expect(hello: Hello2): void {
    const { nodeId, binding } = this.#options;
    if (hello.version !== tunnelVersion) throw new TunnelError("TUNNEL_VERSION", "a version that we did not offer");
    if (!sameBytes(hello.dialler, nodeId)) throw new TunnelError("TUNNEL_WRONG_PEER", "an answer to another node");
    if (hello.mode !== modeNumber(binding)) throw new TunnelError("TUNNEL_MODE_MISMATCH", "the listener is in another mode");
  }
}
