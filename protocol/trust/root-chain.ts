import { assert, sameBytes, toHex } from "../base/index.ts";
import { type Envelope, expectType, verifyEnvelope } from "../envelope/index.ts";
import { importSealingPublicKey, importVerifyKey, type VerifyKey } from "../keys/index.ts";
import { decodeRoot, type RootDocument } from "./root-document.ts";
import { TrustError } from "./trust-error.ts";

/** A root that was verified, with what is used of it often. */
export interface HeldRoot {
  readonly document: RootDocument;
  /** 32 bytes. */
  readonly id: Uint8Array;
  /** The envelope, to be handed on. */
  readonly envelope: Uint8Array;
  /** Bundle signers by key id in hexadecimal. */
  readonly signers: ReadonlyMap<string, VerifyKey>;
}

/** The root that an enrolment code names. */
export interface RootPin {
  readonly version: number;
  /** 32 bytes. */
  readonly id: Uint8Array;
}

/** A root whose payload is read and whose signatures nobody has looked at. */
export interface UncheckedRoot {
  readonly envelope: Envelope;
  readonly document: RootDocument;
}

/** Reads a root envelope without judging it. Throws ENVELOPE_*, TRUST_MALFORMED, KEY_WEAK. */
export function readRoot(envelope: Envelope): UncheckedRoot {
  expectType(envelope, "root");
  return { envelope, document: decodeRoot(envelope.payload) };
}

/**
 * Verifies a chain of roots, given by ascending version. It begins with version 1 or with the pinned root, and holds the pinned one.
 * Throws TRUST_ROOT_PIN, TRUST_ROOT_GAP and what {@link extendChain} throws.
 */
export function verifyRootChain(roots: readonly UncheckedRoot[], pin: RootPin): readonly HeldRoot[] {
  let chain: readonly HeldRoot[] = [];
  for (const root of roots) chain = chain.length === 0 ? [openFirstRoot(root, pin)] : extendChain(chain, root);
  const pinned = chain.find((held) => held.document.version === pin.version);
  if (pinned === undefined || !sameBytes(pinned.id, pin.id)) {
    throw new TrustError("TRUST_ROOT_PIN", `root ${pin.version} is not the one that was named`);
  }
  return chain;
}

/**
 * The chain with `root` at its end, or the same chain where it holds `root` already or begins above it. Throws TRUST_ROOT_FORK only for
 * a second root that is validly signed, TRUST_OTHER_VAULT for another beginning, and what {@link openNextRoot} throws.
 */
export function extendChain(chain: readonly HeldRoot[], root: UncheckedRoot): readonly HeldRoot[] {
  const { version } = root.document;
  const newest = chain.at(-1);
  assert(newest !== undefined, "a chain of roots is not empty");
  if (version > newest.document.version) return [...chain, openNextRoot(newest, root)];
  const same = chain.find((held) => held.document.version === version);
  if (same === undefined || sameBytes(same.id, root.envelope.id)) return chain;
  const before = chain.find((held) => held.document.version === version - 1);
  if (before === undefined) throw new TrustError("TRUST_OTHER_VAULT", `another root ${version} than the one that is held`);
  openNextRoot(before, root);
  throw new TrustError("TRUST_ROOT_FORK", `two roots of version ${version}`);
}

/**
 * Verifies `next` as the successor of `previous`: thresholds of the old and of its own keys. Throws TRUST_ROOT_GAP,
 * TRUST_OTHER_VAULT, TRUST_ROOT_SIGNATURES, TRUST_ROOT_REGRESSION, KEY_*.
 */
function openNextRoot(previous: HeldRoot, next: UncheckedRoot): HeldRoot {
  const { document } = next;
  const { version } = previous.document;
  if (document.version !== version + 1)
    throw new TrustError("TRUST_ROOT_GAP", `root ${document.version} after root ${version}`);
  if (document.vaultId === null || !sameBytes(vaultIdOfRoot(previous), document.vaultId)) {
    throw new TrustError("TRUST_OTHER_VAULT", "root of another vault");
  }
  requireSignatures(next, previous.document);
  if (document.vaultEpoch < previous.document.vaultEpoch) {
    throw new TrustError("TRUST_ROOT_REGRESSION", `vault epoch ${document.vaultEpoch} after ${previous.document.vaultEpoch}`);
  }
  if (document.trustDomain !== previous.document.trustDomain) {
    throw new TrustError("TRUST_ROOT_REGRESSION", "trust domain changed");
  }
  return holdNew(next);
}

/** Holds a root that was verified before, as one from this node's own sealed store. */
export function holdStoredRoot(envelope: Envelope): HeldRoot {
  return hold(readRoot(envelope));
}

/** The vault id (32 bytes): the id of root version 1. */
export function vaultIdOfRoot(root: HeldRoot): Uint8Array {
  return root.document.vaultId ?? root.id;
}

function openFirstRoot(root: UncheckedRoot, pin: RootPin): HeldRoot {
  const { version } = root.document;
  if (version !== 1 && version !== pin.version) {
    throw new TrustError("TRUST_ROOT_GAP", `the chain begins with root ${version}, neither 1 nor ${pin.version}`);
  }
  requireSignatures(root, null);
  return holdNew(root);
}

/** Every signature must hold and be by an old or a new key; each threshold is counted over distinct public keys. */
function requireSignatures(root: UncheckedRoot, previous: RootDocument | null): void {
  const { envelope, document } = root;
  const known = new Map<string, VerifyKey>();
  for (const raw of [...document.rootKeys, ...(previous?.rootKeys ?? [])]) {
    const key = importVerifyKey(raw);
    known.set(toHex(key.keyId), key);
  }
  const signed = new Set<string>();
  for (const { keyId } of envelope.signatures) {
    const key = known.get(toHex(keyId));
    if (key === undefined) throw new TrustError("TRUST_ROOT_SIGNATURES", "signed by a key that is no root key");
    try {
      verifyEnvelope(envelope, key);
    } catch (cause) {
      throw new TrustError("TRUST_ROOT_SIGNATURES", "a signature does not hold", cause);
    }
    signed.add(toHex(key.publicKey));
  }
  for (const quorum of [document, ...(previous === null ? [] : [previous])]) {
    const count = quorum.rootKeys.filter((raw) => signed.has(toHex(raw))).length;
    if (count < quorum.threshold) {
      throw new TrustError("TRUST_ROOT_SIGNATURES", `${count} of ${quorum.threshold} keys of root ${quorum.version} signed`);
    }
  }
}

/** Judges the sealing keys, which takes longer than all the rest, only when a root is new. */
function holdNew(root: UncheckedRoot): HeldRoot {
  for (const raw of [...root.document.sealingKeys, root.document.recoveryKey]) importSealingPublicKey(raw);
  return hold(root);
}

function hold({ envelope, document }: UncheckedRoot): HeldRoot {
  const signers = new Map(document.bundleSigners.map(importVerifyKey).map((key) => [toHex(key.keyId), key]));
  return { document, id: envelope.id, envelope: envelope.bytes, signers };
}
