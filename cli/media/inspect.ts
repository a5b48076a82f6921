import { openStick, type WriterFolder } from "../../agent/media/index.ts";
import { TidegateError, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { type DecodedManifest, type MediaFile, mediaFileName, verifyManifest } from "../../protocol/media/index.ts";
import { applyStatements, decodeRoot, memberOf, startTrust, type TrustState, vaultIdOf } from "../../protocol/trust/index.ts";
import type { NodeCall } from "./node-call.ts";

/** One file as anybody can describe it. */
export interface InspectedFile {
  readonly file: string;
  readonly kind: string;
  readonly recipient: string;
  readonly bytes: number;
  /** Place in its stream, `epoch/number`; null for what has none. */
  readonly place: string | null;
  readonly snapshot: boolean;
  readonly issuedAt: string | null;
  /** How it stands at the node that was asked; null without one. */
  readonly standing: string | null;
}

/** One writer's folder as anybody can describe it: no seal is opened, and no key is needed. */
export interface InspectedFolder {
  readonly writer: string;
  /** Why the folder would be refused as it is; null where it is whole. */
  readonly refused: { readonly code: string; readonly message: string } | null;
  /** The name that the vault of these roots gave to the writer; null where nothing beside the manifest says. */
  readonly name: string | null;
  /** Hexadecimal; null for a node that is about to join. */
  readonly vaultId: string | null;
  /** Whether the writer's signature holds under the roots beside it: `holds`, `joining`, or the code of the refusal. */
  readonly signature: string;
  readonly writeId: string | null;
  readonly writtenAt: string | null;
  readonly files: readonly InspectedFile[];
}

export interface InspectOptions {
  readonly mount: string;
  /** Asks a running node how each file stands with it. */
  readonly call: NodeCall | null;
  onFile?(done: number, total: number): void;
}

/** Describes a medium. Throws MEDIA_* where it is refused as a whole. */
export async function inspectMedia({ mount, call, onFile }: InspectOptions): Promise<InspectedFolder[]> {
  const stick = openStick(mount);
  try {
    const folders: InspectedFolder[] = [];
    for (const [done, writer] of stick.writers.entries()) {
      onFile?.(done, stick.writers.length);
      folders.push(await inspectFolder(() => stick.open(writer), { writer, call }));
    }
    return folders;
  } finally {
    stick.close();
  }
}

async function inspectFolder(
  open: () => WriterFolder,
  { writer, call }: { readonly writer: string; readonly call: NodeCall | null },
): Promise<InspectedFolder> {
  let folder: WriterFolder;
  try {
    folder = open();
  } catch (error) {
    if (!(error instanceof TidegateError) || error.fault === "environment") throw error;
    const refused = { code: error.code, message: error.message };
    return { writer, refused, name: null, vaultId: null, signature: error.code, writeId: null, writtenAt: null, files: [] };
  }
  try {
    const { manifest } = folder;
    const standings = call === null ? null : await standingsOf(folder, writer, call);
    return {
      writer,
      refused: null,
      ...judged(manifest),
      vaultId: manifest.vaultId === null ? null : toHex(manifest.vaultId),
      writeId: toHex(manifest.writeId),
      writtenAt: dateOf(manifest.written.lo),
      files: manifest.files.map((file, i) => ({ ...described(folder, file), standing: standings?.[i] ?? null })),
    };
  } finally {
    folder.close();
  }
}

function described(folder: WriterFolder, file: MediaFile): Omit<InspectedFile, "standing"> {
  const header = folder.header(file);
  return {
    file: mediaFileName(file),
    kind: file.kind,
    recipient: nodeIdText(file.recipient),
    bytes: file.length,
    place: header === null ? null : `${header.epoch}/${header.seq}`,
    snapshot: header?.snapshot ?? false,
    issuedAt: header === null ? null : dateOf(header.issuedAtS),
  };
}

async function standingsOf(folder: WriterFolder, writer: string, call: NodeCall): Promise<string[]> {
  const files = folder.manifest.files.map((file) => {
    const header = folder.header(file);
    return {
      kind: file.kind,
      id: toHex(file.id),
      recipient: nodeIdText(file.recipient),
      place: header === null ? null : { epoch: header.epoch, seq: header.seq },
      signer: header === null ? null : nodeIdText(header.signer),
    };
  });
  return (await call("inspect", { writer, files })) as string[];
}

/** What the roots and statements beside a manifest say of it. Whose roots these are, only somebody who knows the vault's id can tell. */
function judged(manifest: DecodedManifest): { readonly name: string | null; readonly signature: string } {
  if (manifest.vaultId === null) return { name: null, signature: "joining" };
  try {
    const trust = trustBeside(manifest);
    verifyManifest(manifest, trust);
    return { name: memberOf(trust, manifest.nodeId).name, signature: "holds" };
  } catch (error) {
    if (error instanceof TidegateError) return { name: null, signature: error.code };
    throw error;
  }
}

function trustBeside({ statements }: DecodedManifest): TrustState {
  const roots = statements.filter((each) => decodeEnvelope(each).type === "root");
  const [first = new Uint8Array(0)] = roots;
  const { id, payload } = decodeEnvelope(first);
  const started = startTrust(roots, { version: decodeRoot(payload).version, id });
  const rest = statements.filter((each) => !roots.includes(each));
  const { state } = applyStatements(started, rest);
  vaultIdOf(state);
  return state;
}

function dateOf(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
