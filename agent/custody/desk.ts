import { sameBytes, TidegateError, toHex } from "../../protocol/base/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import {
  decodeManifest,
  type MediaFile,
  type MediaKind,
  mediaFileName,
  mediaLimits,
  signManifest,
  verifyManifest,
} from "../../protocol/media/index.ts";
import type { Seams } from "../seams/index.ts";
import type { Post, PostItem, SeenFile, Taken } from "./contracts.ts";
import { CustodyError } from "./errors.ts";
import { openSessions } from "./limits.ts";
import { type Custody, carriageLeaves, parties } from "./medium.ts";

/** How a file on a medium stands at this node. */
export type Standing =
  /** Ours: its recipient has not acknowledged it, or has. */
  | "waits"
  | "settled"
  /** Another's: for this node and not taken yet, taken already, or not for this node. */
  | "new"
  | "known"
  | "other";

/** A write that has begun. */
interface BegunWrite {
  readonly session: string;
  readonly items: readonly PostItem[];
  /** Items beyond what one folder holds: they wait for the next medium. */
  readonly more: number;
}

interface Writing {
  readonly kind: "write";
  readonly custody: Custody;
  readonly items: ReadonlyMap<string, PostItem>;
  readonly writeId: Uint8Array;
}

interface Reading {
  readonly kind: "read";
  readonly custody: Custody;
  readonly writer: Uint8Array;
  readonly writeId: Uint8Array;
  /** Listed, and not asked for yet. */
  rest: readonly MediaFile[];
  readonly wanted: Map<string, MediaFile>;
  readonly counts: Record<Taken["outcome"], number>;
}

/**
 * What a running node does with media that people carry: it hands out what waits, signs the manifest over what was written, judges
 * what is brought, and keeps the chain of custody in its log. The files are read and written by who calls; the node never opens one.
 */
export class MediaDesk {
  readonly #post: Post;
  readonly #random: Seams["random"];
  readonly #sessions = new Map<string, Writing | Reading>();

  constructor(post: Post, { random }: Pick<Seams, "random">) {
    this.#post = post;
    this.#random = random;
  }

  /** The node's id, as text. */
  get nodeId(): string {
    return nodeIdText(this.#post.nodeId);
  }

  /** Begins a write: what waits to be carried, to the named recipients only where there are any. */
  async beginWrite(custody: Custody, recipients: readonly Uint8Array[]): Promise<BegunWrite> {
    const all = (await this.#post.outgoing()).filter(
      ({ recipient }) => recipients.length === 0 || recipients.some((each) => sameBytes(each, recipient)),
    );
    const items = all.slice(0, mediaLimits.files);
    const named = new Map(items.map((item) => [mediaFileName(item), item]));
    const session = this.#keep({ kind: "write", custody, items: named, writeId: this.#random(16) });
    return { session, items, more: all.length - items.length };
  }

  /** The carrier of an item of this write; null where it need not be carried any more, or is larger than a medium takes. */
  async load(session: string, file: { kind: MediaKind; id: Uint8Array }): Promise<Uint8Array | null> {
    const item = this.#writing(session).items.get(mediaFileName(file));
    if (item === undefined) throw new CustodyError("CUSTODY_WRONG_ITEM", "not an item of this write");
    const carrier = await item.load();
    return carrier === null || carrier.length > mediaLimits.itemBytes ? null : carrier;
  }

  /** Signs the manifest over files that lie on the medium. The leaf stands before it can make the medium whole. */
  async seal(session: string, files: readonly MediaFile[]): Promise<{ manifest: Uint8Array; writeId: string }> {
    const { items, custody, writeId } = this.#writing(session);
    for (const file of files) {
      const item = items.get(mediaFileName(file));
      if (item === undefined || !sameBytes(item.recipient, file.recipient))
        throw new CustodyError("CUSTODY_WRONG_ITEM", "not an item of this write");
    }
    const { nodeId, vaultId, signing } = this.#post;
    const named = { writeId: toHex(writeId), writer: nodeIdText(nodeId) };
    for (const leaf of carriageLeaves("media.write", custody, { ...named, files })) await this.#post.append(leaf);
    const statements = await this.#post.statements();
    const written = this.#post.time();
    const manifest = signManifest({ vaultId, nodeId, writeId, written, files }, signing(), statements);
    return { manifest, writeId: named.writeId };
  }

  /** Ends a write: read back and equal, from where, or with the code of what went wrong. */
  async endWrite(session: string, ended: { readBackFrom: string } | { code: string }): Promise<void> {
    const { custody, writeId } = this.#writing(session);
    this.#sessions.delete(session);
    const details = { writeId: toHex(writeId), ...("readBackFrom" in ended ? ended : {}) };
    const how = "code" in ended ? ({ outcome: "failed", code: ended.code } as const) : ({ outcome: "ok" } as const);
    await this.#post.append({ action: "media.verify", ...parties(custody), ...how, details });
  }

  /**
   * Begins to read a writer's folder: its manifest is verified and what stands beside it learned. Throws MANIFEST_*, TRUST_*, ENVELOPE_*.
   * Returns the files that are for this node or for one that it carries for; no session where the folder is the node's own.
   */
  async beginRead(custody: Custody, bytes: Uint8Array): Promise<{ session: string | null; wanted: readonly MediaFile[] }> {
    const manifest = decodeManifest(bytes);
    const { nodeId: writer, writeId } = manifest;
    // Nothing of it is taken, so nobody's word is needed: it may have been signed with keys that this node has no more.
    if (sameBytes(writer, this.#post.nodeId)) return { session: null, wanted: [] };
    if (manifest.vaultId !== null) await this.#post.learn(manifest.statements);
    verifyManifest(manifest, await this.#post.trust());
    const counts = { applied: 0, known: 0, held: 0, refused: 0 };
    const rest = manifest.files;
    const reading: Reading = { kind: "read", custody, writer, writeId, rest, wanted: new Map(), counts };
    const wanted = await this.#ask(reading);
    await this.#noteAsked(reading, wanted);
    return { session: this.#keep(reading), wanted };
  }

  /** Files that are for this node since others were taken: a gateway learns by its own bundles for whom it carries. */
  async moreWanted(session: string): Promise<readonly MediaFile[]> {
    const reading = this.#reading(session);
    const wanted = await this.#ask(reading);
    if (wanted.length > 0) await this.#noteAsked(reading, wanted);
    return wanted;
  }

  /** Takes one of the files that were asked for. What an item is refused with is told, not thrown; a disk that fails throws. */
  async take(session: string, carrier: Uint8Array): Promise<Taken> {
    const reading = this.#reading(session);
    const taken = await this.#judge(reading, carrier);
    reading.counts[taken.outcome] += 1;
    return taken;
  }

  /** Ends a read, with the code of what broke it off. Returns the counts. */
  async endRead(session: string, code: string | null): Promise<Reading["counts"]> {
    const { custody, writeId, counts } = this.#reading(session);
    this.#sessions.delete(session);
    const how = code === null ? ({ outcome: "ok" } as const) : ({ outcome: "failed", code } as const);
    const details = { ...counts, writeId: toHex(writeId) };
    await this.#post.append({ action: "media.taken", ...parties(custody), ...how, details });
    return counts;
  }

  /** How files of a folder stand here, by what their headers say; nothing is changed. */
  async standings(writer: Uint8Array, files: readonly SeenFile[]): Promise<Standing[]> {
    if (sameBytes(writer, this.#post.nodeId)) {
      const waiting = new Set((await this.#post.outgoing()).map(mediaFileName));
      return files.map((file) => (waiting.has(mediaFileName(file)) ? "waits" : "settled"));
    }
    const standings: Standing[] = [];
    for (const file of files) {
      const wanted = await this.#post.wants(file, writer);
      const head = wanted ? await this.#post.reached(file) : null;
      const { place } = file;
      const past = head !== null && place !== null && (place.epoch - head.epoch || place.seq - head.seq) <= 0;
      standings.push(wanted ? (past ? "known" : "new") : "other");
    }
    return standings;
  }

  async #ask(reading: Reading): Promise<MediaFile[]> {
    const wanted: MediaFile[] = [];
    for (const file of reading.rest) if (await this.#post.wants(file, reading.writer)) wanted.push(file);
    reading.rest = reading.rest.filter((file) => !wanted.includes(file));
    for (const file of wanted) reading.wanted.set(mediaFileName(file), file);
    return wanted;
  }

  async #noteAsked({ custody, writer, writeId }: Reading, files: readonly MediaFile[]): Promise<void> {
    const carriage = { writeId: toHex(writeId), writer: nodeIdText(writer), files };
    for (const leaf of carriageLeaves("media.read", custody, carriage)) await this.#post.append(leaf);
  }

  async #judge({ wanted, writer }: Reading, carrier: Uint8Array): Promise<Taken> {
    try {
      const { id, type } = decodeEnvelope(decodeCarrier(carrier).envelope);
      const file = [...wanted.values()].find((each) => sameBytes(each.id, id));
      if (file === undefined || file.kind !== type)
        throw new CustodyError("CUSTODY_WRONG_ITEM", "not the item that was asked for");
      wanted.delete(mediaFileName(file));
      return await this.#post.take({ kind: file.kind, id, recipient: file.recipient, carrier, writer });
    } catch (error) {
      if (!(error instanceof TidegateError) || error.fault === "environment" || error.code.startsWith("STORE_")) throw error;
      return { outcome: "refused", code: error.code };
    }
  }

  #keep(session: Writing | Reading): string {
    const id = toHex(this.#random(16));
    this.#sessions.set(id, session);
    for (const oldest of this.#sessions.keys()) {
      if (this.#sessions.size <= openSessions) break;
      this.#sessions.delete(oldest);
    }
    return id;
  }

  #writing(session: string): Writing {
    const held = this.#sessions.get(session);
    if (held?.kind !== "write") throw forgotten();
    return held;
  }

  #reading(session: string): Reading {
    const held = this.#sessions.get(session);
    if (held?.kind !== "read") throw forgotten();
    return held;
  }
}

function forgotten(): CustodyError {
  return new CustodyError("CUSTODY_SESSION", "this write or read of a medium was not begun, or has ended");
}
