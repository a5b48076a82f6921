import { z } from "zod";
import { fromBase32, fromHex, toHex } from "../../protocol/base/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { type MediaFile, mediaKinds, mediaLimits } from "../../protocol/media/index.ts";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import { custody } from "./custody-shape.ts";
import type { MediaDesk, Standing } from "./desk.ts";
import { itemBodyBytes } from "./limits.ts";

/** Bytes as text: an id or a hash in hexadecimal, a node id in base32. */
const bytesOf = (decode: (text: string) => Uint8Array | null, length: number, expected: string) =>
  z.string().transform((text, context): Uint8Array => {
    const bytes = text.length <= 2 * length ? decode(text) : null;
    if (bytes?.length === length) return bytes;
    context.addIssue({ code: "custom", message: expected });
    return z.NEVER;
  });
const hash = bytesOf(fromHex, 32, "64 hexadecimal digits");
const node = bytesOf(fromBase32, 20, "a node id");
const carrier = z.string().transform((text) => new Uint8Array(Buffer.from(text, "base64")));
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);
const session = z.string().regex(/^[0-9a-f]{32}$/);
const name = { kind: z.enum(mediaKinds), id: hash };
const file = z.strictObject({ ...name, recipient: node, length: z.int().min(0).max(mediaLimits.itemBytes), hash });
const place = z.strictObject({ epoch: z.int().min(0), seq: z.int().min(0) }).nullable();
const seen = z.strictObject({ ...name, recipient: node, place, signer: node.nullable() });
const files = <T extends z.ZodType>(one: T) => z.array(one).max(mediaLimits.files);

/** The calls by which the command line writes and reads media for a running node: bytes are base64, ids hexadecimal. */
export function mediaRoutes(desk: MediaDesk): AdminRoute[] {
  const post = <Body>(path: string, body: z.ZodType<Body>, handle: (body: Body) => unknown) =>
    adminRoute({
      method: "POST",
      path: `/v1/media/${path}`,
      body,
      maxBodyBytes: itemBodyBytes,
      handle: (call) => handle(call.body),
    });
  return [
    post("write", z.strictObject({ custody, recipients: z.array(node).max(1_024) }), async (body) => {
      const begun = await desk.beginWrite(body.custody, body.recipients);
      return { session: begun.session, items: begun.items.map(fileJson), more: begun.more, nodeId: desk.nodeId };
    }),
    post("write/item", z.strictObject({ session, ...name }), async ({ session: of, ...which }) => {
      const bytes = await desk.load(of, which);
      return { carrier: bytes === null ? null : Buffer.from(bytes).toString("base64") };
    }),
    post("write/seal", z.strictObject({ session, files: files(file) }), async (body) => {
      const { manifest, writeId } = await desk.seal(body.session, body.files);
      return { manifest: Buffer.from(manifest).toString("base64"), writeId };
    }),
    post("write/end", z.strictObject({ session, readBackFrom: z.enum(["medium", "cache"]) }), async (body) =>
      desk.endWrite(body.session, { readBackFrom: body.readBackFrom }),
    ),
    post("write/fail", z.strictObject({ session, code }), async (body) => desk.endWrite(body.session, { code: body.code })),
    post("read", z.strictObject({ custody, manifest: carrier }), async (body) => {
      const begun = await desk.beginRead(body.custody, body.manifest);
      return { session: begun.session, wanted: begun.wanted.map(fileJson) };
    }),
    post("read/more", z.strictObject({ session }), async (body) => (await desk.moreWanted(body.session)).map(fileJson)),
    post("read/item", z.strictObject({ session, carrier }), (body) => desk.take(body.session, body.carrier)),
    post("read/end", z.strictObject({ session, code: code.nullable() }), (body) => desk.endRead(body.session, body.code)),
    post(
      "inspect",
      z.strictObject({ writer: node, files: files(seen) }),
      async (body): Promise<Standing[]> => desk.standings(body.writer, body.files),
    ),
  ];
}

function fileJson({ kind, id, recipient }: Pick<MediaFile, "kind" | "id" | "recipient">) {
  return { kind, id: toHex(id), recipient: nodeIdText(recipient) };
}
