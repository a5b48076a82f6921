import { writeFolder } from "../../agent/media/index.ts";
import type { Failpoint } from "../../agent/seams/index.ts";
import { fromBase32, fromHex, TidegateError, toHex } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { mediaLimits } from "../../protocol/media/index.ts";
import type { CustodyInput, NamedFile, NodeCall } from "./node-call.ts";

export interface WriteMediaOptions {
  readonly call: NodeCall;
  readonly mount: string;
  readonly custody: CustodyInput;
  /** Node ids as text; all recipients where empty. */
  readonly recipients: readonly string[];
  onStep?(done: number, total: number): void;
  readonly failpoint?: Failpoint;
}

/** What was written, and read back equal. */
export interface MediaWritten {
  readonly node: string;
  readonly writeId: string;
  readonly files: readonly (NamedFile & { readonly bytes: number })[];
  readonly bytes: number;
  /** Items beyond what one folder holds, acknowledged meanwhile, or too large for a medium. */
  readonly leftOut: number;
  readonly readBackFrom: "medium" | "cache";
}

interface Begun {
  readonly session: string;
  readonly nodeId: string;
  readonly items: readonly NamedFile[];
  readonly more: number;
}

/** Writes what waits at a running node to a medium. Throws MEDIA_*, CUSTODY_* and what the node says. */
export async function writeMedia(options: WriteMediaOptions): Promise<MediaWritten> {
  const { call, mount, custody, recipients } = options;
  const begun = (await call("write", { custody, recipients })) as Begun;
  const { session } = begun;
  const names = new Map(begun.items.map((item) => [item.id, item]));
  let writeId = "";
  let bytes = 0;
  try {
    const written = await writeFolder({
      mount,
      nodeId: required(fromBase32(begun.nodeId)),
      items: begun.items.map(({ kind, id, recipient }) => {
        return { kind, id: required(fromHex(id)), recipient: required(fromBase32(recipient)) };
      }),
      async load({ kind, id }) {
        const { carrier } = (await call("write/item", { session, kind, id: toHex(id) })) as { carrier: string | null };
        if (carrier === null) return null;
        const decoded = new Uint8Array(Buffer.from(carrier, "base64"));
        if (bytes + decoded.length > mediaLimits.folderBytes) return null;
        bytes += decoded.length;
        return decoded;
      },
      async seal(files) {
        const listed = files.map(({ kind, id, recipient, length, hash }) => {
          return { kind, id: toHex(id), recipient: nodeIdText(recipient), length, hash: toHex(hash) };
        });
        const sealed = (await call("write/seal", { session, files: listed })) as { manifest: string; writeId: string };
        writeId = sealed.writeId;
        return new Uint8Array(Buffer.from(sealed.manifest, "base64"));
      },
      ...(options.onStep === undefined ? {} : { onStep: options.onStep.bind(options) }),
      ...(options.failpoint === undefined ? {} : { failpoint: options.failpoint }),
    });
    const { readBackFrom } = written;
    await call("write/end", { session, readBackFrom });
    const files = written.files.map(({ id, length }) => ({ ...required(names.get(toHex(id)) ?? null), bytes: length }));
    const leftOut = begun.more + begun.items.length - files.length;
    return { node: begun.nodeId, writeId, files, bytes: written.bytes, leftOut, readBackFrom };
  } catch (error) {
    const code = error instanceof TidegateError ? error.code : "BUG";
    // The log says that it went wrong, if the node is still there to say so.
    await call("write/fail", { session, code }).catch(() => {});
    throw error;
  }
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error("the node answered with something else than an id");
  return value;
}
