import {
  asBytes,
  asList,
  assert,
  asTuple,
  asUint,
  decodeTcbor,
  encodeTcbor,
  orNull,
  sameBytes,
  sha256,
  type Tcbor,
  TcborError,
} from "../base/index.ts";
import {
  decodeCarrier,
  decodeEnvelope,
  type Envelope,
  EnvelopeError,
  encodeCarrier,
  expectType,
  signEnvelope,
  verifyEnvelope,
} from "../envelope/index.ts";
import { importVerifyKey, keyIdLength, type SigningKey } from "../keys/index.ts";
import { memberOf, TrustError, type TrustState, vaultIdOf } from "../trust/index.ts";
import { ManifestError } from "./errors.ts";
import { maxListValues, mediaLimits } from "./limits.ts";
import { compareMediaFiles, type MediaFile, mediaKinds } from "./media-file.ts";

/** What completes a writer's folder on a medium. Nothing is believed because of it but that the folder is whole. */
export interface Manifest {
  /** 32 bytes; null for a node that is about to join and does not know it yet. */
  readonly vaultId: Uint8Array | null;
  /** The writer, 20 bytes: the folder's name. */
  readonly nodeId: Uint8Array;
  /** 16 random bytes: names this write in the logs of who wrote and of who reads. */
  readonly writeId: Uint8Array;
  /** The writer's time, seconds since 1970; `hi` null while open. */
  readonly written: { readonly lo: number; readonly hi: number | null };
  /** Ascending by kind and id. */
  readonly files: readonly MediaFile[];
}

/** A manifest as it was read; its signature is not judged yet. */
export interface DecodedManifest extends Manifest {
  /** Of the envelope, 32 bytes. */
  readonly id: Uint8Array;
  /** Root, member and revoked envelopes that stand beside it. */
  readonly statements: readonly Uint8Array[];
  readonly envelope: Envelope;
}

/** Signs a manifest by the writer's identity key and encodes the `MANIFEST` file. Files in any order; too many are a bug of ours. */
export function signManifest(manifest: Manifest, signer: SigningKey, statements: readonly Uint8Array[]): Uint8Array {
  const files = [...manifest.files].sort(compareMediaFiles);
  assert(files.length <= mediaLimits.files, "a manifest of ours lists few enough files");
  const list = encodeTcbor(files.map(fileToTcbor));
  const { vaultId, nodeId, writeId, written } = manifest;
  const payload: Tcbor = [vaultId, nodeId, writeId, [written.lo, written.hi], [list.length, sha256(list)]];
  const envelope = signEnvelope("manifest", encodeTcbor(payload), [signer]);
  const bytes = encodeCarrier({ statements, envelope, body: list });
  assert(bytes.length <= mediaLimits.manifestBytes, "a manifest of ours is within its limit");
  return bytes;
}

/** Reads a `MANIFEST` file; no signature is verified. Throws MANIFEST_TOO_LARGE, MANIFEST_MALFORMED, MANIFEST_LIST and ENVELOPE_*. */
export function decodeManifest(bytes: Uint8Array): DecodedManifest {
  if (bytes.length > mediaLimits.manifestBytes) throw tooLarge(`a manifest of ${bytes.length} bytes`);
  const carrier = readCarrier(bytes);
  const envelope = decodeEnvelope(carrier.envelope);
  expectType(envelope, "manifest");
  const { head, list } = readHead(envelope.payload);
  if (list.length !== carrier.body.length || !sameBytes(list.hash, sha256(carrier.body)))
    throw new ManifestError("MANIFEST_LIST", "the list of files is not the signed one");
  const files = readList(carrier.body);
  const total = files.reduce((sum, { length }) => sum + length, 0);
  if (total > mediaLimits.folderBytes) throw tooLarge(`files of ${total} bytes together`);
  return { ...head, files, id: envelope.id, statements: carrier.statements, envelope };
}

/**
 * Verifies that the node that a manifest names has signed it, and is trusted. One that lists nothing but join requests needs no
 * signature that can be verified: its writer is not known yet, and each request proves itself. Throws TRUST_OTHER_VAULT,
 * TRUST_UNKNOWN, TRUST_REVOKED, TRUST_SIGNER, ENVELOPE_BAD_SIGNATURE, MANIFEST_WRITER.
 */
export function verifyManifest(manifest: DecodedManifest, trust: TrustState): void {
  if (manifest.vaultId === null) return requireJoins(manifest);
  if (!sameBytes(manifest.vaultId, vaultIdOf(trust)))
    throw new TrustError("TRUST_OTHER_VAULT", "a medium of another vault's node");
  verifyEnvelope(manifest.envelope, importVerifyKey(memberOf(trust, manifest.nodeId).signKey));
}

function requireJoins({ envelope, nodeId, files }: DecodedManifest): void {
  const [signature] = envelope.signatures;
  if (signature === undefined || !sameBytes(signature.keyId, nodeId))
    throw new ManifestError("MANIFEST_WRITER", "signed by another key than that of the node that it names");
  if (files.some(({ kind }) => kind !== "join"))
    throw new ManifestError("MANIFEST_WRITER", "a node that has not joined writes nothing but its request");
}

function readCarrier(bytes: Uint8Array): ReturnType<typeof decodeCarrier> {
  try {
    return decodeCarrier(bytes);
  } catch (cause) {
    if (!(cause instanceof EnvelopeError)) throw cause;
    throw new ManifestError("MANIFEST_MALFORMED", "not a manifest", cause);
  }
}

type Head = Omit<Manifest, "files">;

function readHead(payload: Uint8Array): { head: Head; list: { length: number; hash: Uint8Array } } {
  return shaped(() => {
    const [vaultId, nodeId, writeId, written, list] = asTuple(decodeTcbor(payload), "manifest", 5);
    const [lo, hi] = asTuple(written, "manifest.written", 2);
    const [length, hashed] = asTuple(list, "manifest.list", 2);
    const time = { lo: asUint(lo, "manifest.lo"), hi: orNull(hi, (one) => asUint(one, "manifest.hi")) };
    if (time.hi !== null && time.hi < time.lo)
      throw new ManifestError("MANIFEST_MALFORMED", "a time that ends before it begins");
    return {
      head: {
        vaultId: orNull(vaultId, (one) => asBytes(one, "manifest.vaultId", 32)),
        nodeId: asBytes(nodeId, "manifest.nodeId", keyIdLength),
        writeId: asBytes(writeId, "manifest.writeId", 16),
        written: time,
      },
      list: { length: asUint(length, "manifest.list.length"), hash: asBytes(hashed, "manifest.list.hash", 32) },
    };
  });
}

function readList(bytes: Uint8Array): MediaFile[] {
  return shaped(() => {
    const files = asList(decodeTcbor(bytes, maxListValues), "manifest.files", mediaLimits.files).map(fileFromTcbor);
    for (const [at, file] of files.entries()) {
      const before = files[at - 1];
      if (before !== undefined && compareMediaFiles(before, file) >= 0)
        throw new ManifestError("MANIFEST_MALFORMED", "files that are not in ascending order");
    }
    return files;
  });
}

function fileToTcbor({ kind, id, recipient, length, hash: hashed }: MediaFile): Tcbor {
  return [mediaKinds.indexOf(kind), id, recipient, length, hashed];
}

function fileFromTcbor(value: Tcbor): MediaFile {
  const [kind, id, recipient, length, hashed] = asTuple(value, "file", 5);
  return {
    kind: mediaKinds[asUint(kind, "file.kind", mediaKinds.length - 1)] ?? "join",
    id: asBytes(id, "file.id", 32),
    recipient: asBytes(recipient, "file.recipient", keyIdLength),
    length: asUint(length, "file.length", mediaLimits.itemBytes),
    hash: asBytes(hashed, "file.hash", 32),
  };
}

function shaped<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof TcborError) throw new ManifestError("MANIFEST_MALFORMED", cause.message, cause);
    throw cause;
  }
}

function tooLarge(what: string): ManifestError {
  return new ManifestError("MANIFEST_TOO_LARGE", what);
}
