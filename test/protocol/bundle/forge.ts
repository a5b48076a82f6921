import { hash } from "node:crypto";
import { decodeTcbor, encodeTcbor, type Tcbor, TidegateError } from "../../../protocol/base/index.ts";
import {
  type BundleBody,
  type BundleHeader,
  direction,
  emptyBody,
  emptyDigest,
  encodeBody,
  encodeContext,
  encodeHeader,
  entryMap,
  type HeaderContext,
  makeEntry,
  openBundle,
  stateDigest,
} from "../../../protocol/bundle/index.ts";
import { encodeCarrier, signEnvelope } from "../../../protocol/envelope/index.ts";
import type { SigningKey } from "../../../protocol/keys/index.ts";
import { sealBody } from "../../../protocol/seal/index.ts";
import type { TrustState } from "../../../protocol/trust/index.ts";
import { EdgeEnd, edge as edgeKeys, sampleContext, vault as vaultKeys, wanted } from "./rig.ts";

const salt = new Uint8Array(16).fill(0x5a);
export const entryA = makeEntry({ ...wanted(1, 1), salt });
export const entryB = makeEntry({ ...wanted(2, 1), salt, authority: { notBefore: 10, notAfter: 20 } });
export const snapshot: BundleBody = { ...emptyBody(stateDigest(entryMap([entryA, entryB])), null), entries: [entryA, entryB] };

/** Opens as edge 31 does, answering with the verdict or the code. */
export function open(
  carrier: Uint8Array,
  changes: { trust?: TrustState; direction?: 0 | 1; recipient?: Uint8Array } = {},
): string {
  try {
    const result = openBundle(carrier, {
      direction: direction.down,
      trust: new EdgeEnd().trust,
      recipient: edgeKeys.nodeId,
      receiver: new EdgeEnd().receiver,
      sealingKeys: [edgeKeys.sealer],
      ...changes,
    });
    return result.judgement.code ?? result.judgement.verdict;
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

export interface Forgery {
  readonly header?: Partial<HeaderContext>;
  readonly body?: BundleBody;
  /** Changes the finished header before it is signed. */
  readonly late?: (header: BundleHeader) => BundleHeader;
  readonly signer?: SigningKey;
  /** Replaces the sealed body after signing. */
  readonly cut?: (body: Uint8Array) => Uint8Array;
  readonly type?: "bundle" | "report" | "notice";
  readonly payload?: (encoded: Uint8Array) => Uint8Array;
  readonly wrongKey?: boolean;
  readonly statements?: readonly Uint8Array[];
}

/** A bundle as a careless or hostile signer of the vault could make it. */
export function forge({
  header,
  body = snapshot,
  late,
  signer = vaultKeys.signer,
  cut,
  type = "bundle",
  payload,
  ...rest
}: Forgery): Uint8Array {
  const context = sampleContext({ answers: [new EdgeEnd().receiver.nonce], ...header });
  const recipient = (rest.wrongKey ? vaultKeys : edgeKeys).recipient;
  const sealed = sealBody({ context: encodeContext(context), recipient, plaintext: encodeBody(body, context) });
  const seal = {
    encapsulated: sealed.encapsulated,
    commitment: sealed.commitment,
    ciphertextLength: sealed.ciphertext.length,
    ciphertextHash: new Uint8Array(hash("sha256", sealed.ciphertext, "buffer")),
  };
  const whole = { ...context, ...seal };
  const encoded = encodeHeader(late === undefined ? whole : late(whole));
  const envelope = signEnvelope(type, payload === undefined ? encoded : payload(encoded), [signer]);
  const bytes = cut === undefined ? sealed.ciphertext : cut(sealed.ciphertext);
  return encodeCarrier({ statements: rest.statements ?? [], envelope, body: bytes });
}

/** Changes one key of an encoded header. */
export function withKey(key: number, value: Tcbor | undefined): (encoded: Uint8Array) => Uint8Array {
  return (encoded) => {
    const map = new Map(decodeTcbor(encoded) as ReadonlyMap<number, Tcbor>);
    if (value === undefined) map.delete(key);
    else map.set(key, value);
    return encodeTcbor(map);
  };
}

/** A snapshot whose body bears a delta's base digest. */
export function snapshotWithBase(): Uint8Array {
  const context = sampleContext({ answers: [new EdgeEnd().receiver.nonce] });
  const plaintext = encodeTcbor(
    new Map([
      [1, emptyDigest()],
      [2, emptyDigest()],
    ]),
  );
  const sealed = sealBody({ context: encodeContext(context), recipient: edgeKeys.recipient, plaintext });
  const ciphertextHash = new Uint8Array(hash("sha256", sealed.ciphertext, "buffer"));
  const header = encodeHeader({ ...context, ...sealed, ciphertextLength: sealed.ciphertext.length, ciphertextHash });
  return encodeCarrier({
    statements: [],
    envelope: signEnvelope("bundle", header, [vaultKeys.signer]),
    body: sealed.ciphertext,
  });
}
