import { hash } from "node:crypto";
import { envelopeId } from "../../protocol/envelope/index.ts";
import type { SigningKey } from "../../protocol/keys/index.ts";
import {
  encodeRoot,
  type NodeRole,
  nodeRole,
  type RootDocument,
  signMember,
  signRevoked,
  signRoot,
  startTrust,
  type TrustState,
} from "../../protocol/trust/index.ts";
import { type TunnelTrust, tunnelTrust } from "../../protocol/tunnel/index.ts";
import { sampleRoot, sampleSealer, sampleSigner } from "../protocol/sample-vault.ts";

/** A node as a tunnel needs it. */
export interface TunnelMember {
  readonly nodeId: Uint8Array;
  readonly signing: SigningKey;
  /** Its member statement's envelope. */
  readonly member: Uint8Array;
  readonly tlsKeyHash: Uint8Array;
}

/** How a node differs from the usual one. */
interface TunnelNodeOptions {
  readonly role?: NodeRole;
  readonly name?: string;
  readonly serial?: number;
  readonly tlsKeyHash?: Uint8Array;
  /** In place of the key that comes from the byte. */
  readonly signing?: SigningKey;
}

/** A vault with its root and as many nodes as a test wants. */
export class TunnelWorld {
  readonly vaultId: Uint8Array;
  readonly state: TrustState;
  readonly rootEnvelope: Uint8Array;
  readonly #document: RootDocument;

  constructor(tlsCaKeys: readonly Uint8Array[] = []) {
    this.#document = sampleRoot({ tlsCaKeys });
    this.vaultId = envelopeId("root", encodeRoot(this.#document));
    this.rootEnvelope = signRoot(this.#document, [sampleSigner(1)]);
    this.state = startTrust([this.rootEnvelope], { version: 1, id: this.vaultId });
  }

  get trust(): TunnelTrust {
    return tunnelTrust(this.state);
  }

  /** A node whose keys come from `byte`, 40 to 250. */
  node(byte: number, options: TunnelNodeOptions = {}): TunnelMember {
    const signing = options.signing ?? sampleSigner(byte);
    const tlsKeyHash = options.tlsKeyHash ?? new Uint8Array(hash("sha256", Uint8Array.of(byte), "buffer"));
    const statement = {
      vaultId: this.vaultId,
      nodeId: signing.keyId,
      serial: options.serial ?? 1,
      name: options.name ?? `node-${byte}`,
      role: options.role ?? nodeRole.edge,
      zone: "line-4",
      signKey: signing.publicKey,
      sealKey: sampleSealer(32).publicKey,
      tlsKeyHash,
      logKey: sampleSigner(33).publicKey,
      epochKey: sampleSigner(34).publicKey,
      witnessKey: null,
    };
    return { nodeId: signing.keyId, signing, tlsKeyHash, member: signMember(statement, sampleSigner(11)) };
  }

  /** Roots `from` to `to`, each signed by the same root key. */
  laterRoots(from: number, to: number): Uint8Array[] {
    const roots: Uint8Array[] = [];
    for (let version = from; version <= to; version += 1) {
      roots.push(signRoot({ ...this.#document, version, vaultId: this.vaultId }, [sampleSigner(1)]));
    }
    return roots;
  }

  /** A revoked list of these nodes, serials up to 1. */
  revoked(version: number, ...nodes: TunnelMember[]): Uint8Array {
    const list = { vaultId: this.vaultId, version, nodes: nodes.map(({ nodeId }) => ({ nodeId, serial: 1 })) };
    return signRevoked(list, sampleSigner(11));
  }
}
