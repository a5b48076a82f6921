import { sameBytes, TidegateError } from "../../protocol/base/index.ts";
import { decodeCarrier } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { signManifest } from "../../protocol/media/index.ts";
import { type FileHeader, MediaError, openStick, type Stick, writeFolder } from "../media/index.ts";
import type { JoinAsk } from "../node/index.ts";
import type { Seams } from "../seams/index.ts";

export interface MediaExchangeOptions {
  readonly mount: string;
  readonly seams: Pick<Seams, "clock" | "random">;
  /** Told while the request is written. */
  onStep?(done: number, total: number): void;
}

/** A node that joins knows its vault by a root only: a request is for whoever can open it. */
const anyVault = new Uint8Array(20);

/**
 * Looks for the answer on a medium; where there is none, writes the request there and returns null. Throws MEDIA_*, and what a folder is
 * refused with where no other has the answer.
 */
export async function exchangeByMedia(ask: JoinAsk, options: MediaExchangeOptions): Promise<Uint8Array | null> {
  const answer = answerOn(options.mount, ask);
  if (answer !== null) return answer;
  await writeRequest(ask, options);
  return null;
}

function answerOn(mount: string, ask: JoinAsk): Uint8Array | null {
  const stick = stickOrNull(mount);
  if (stick === null) return null;
  let refused: TidegateError | null = null;
  try {
    for (const writer of stick.writers) {
      if ([ask.nodeId, ask.signing.keyId].some((own) => writer === nodeIdText(own))) continue;
      try {
        const answer = answerIn(stick, writer, ask);
        if (answer !== null) return answer;
      } catch (error) {
        if (!(error instanceof TidegateError) || error.fault === "environment") throw error;
        refused ??= error;
      }
    }
  } finally {
    stick.close();
  }
  if (refused !== null) throw refused;
  return null;
}

/**
 * The answer is the first snapshot for us that names our nonce and comes with statements to begin to trust by; whether it is ours is judged
 * later. Later snapshots may name the nonce too, without the statement about our keys.
 */
function answerIn(stick: Stick, writer: string, { nodeId, nonce }: JoinAsk): Uint8Array | null {
  const folder = stick.open(writer);
  try {
    let first: { readonly header: FileHeader; readonly carrier: Uint8Array } | null = null;
    for (const file of folder.manifest.files) {
      const header = folder.header(file);
      if (header === null || !header.snapshot || !sameBytes(file.recipient, nodeId)) continue;
      if (!header.answers.some((one) => sameBytes(one, nonce))) continue;
      const carrier = folder.read(file);
      if (decodeCarrier(carrier).statements.length > 1 && (first === null || isBefore(header, first.header)))
        first = { header, carrier };
    }
    return first?.carrier ?? null;
  } finally {
    folder.close();
  }
}

function isBefore(a: FileHeader, b: FileHeader): boolean {
  return (a.epoch - b.epoch || a.seq - b.seq) < 0;
}

async function writeRequest(ask: JoinAsk, { mount, seams, onStep }: MediaExchangeOptions): Promise<void> {
  const { id, carrier, signing } = ask;
  // The folder is named by the key that signs it: that of a node with new keys is not known by its id yet.
  const nodeId = signing.keyId;
  await writeFolder({
    mount,
    nodeId,
    items: [{ kind: "join", id, recipient: anyVault }],
    load: async () => carrier,
    async seal(files) {
      // What this machine's clock says is nobody's authority, and a node that joins knows no other time.
      const lo = Math.max(0, Math.floor(seams.clock.wallMs() / 1000));
      return signManifest({ vaultId: null, nodeId, writeId: seams.random(16), written: { lo, hi: null }, files }, signing, []);
    },
    ...(onStep === undefined ? {} : { onStep }),
  });
}

function stickOrNull(mount: string): Stick | null {
  try {
    return openStick(mount);
  } catch (error) {
    if (error instanceof MediaError && error.code === "MEDIA_EMPTY") return null;
    throw error;
  }
}
