import { type IncomingItem, type Post, type PostItem, rootsAndRevoked, type Taken } from "../../agent/custody/index.ts";
import { assert, sameBytes } from "../../protocol/base/index.ts";
import { decodeReceiver } from "../../protocol/bundle/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { answerJoin } from "../enrolment/index.ts";
import { memberStatement } from "../identity/index.ts";
import { ingestCarrier } from "../ingest/index.ts";
import type { VaultTransaction } from "../store/index.ts";
import { type VaultCore, vaultMailbox } from "../streams/index.ts";

/** What the vault's media need: the core, and who is told that something new waits. */
export interface VaultPostOptions {
  readonly core: VaultCore;
  wake(nodeIds: readonly Uint8Array[]): void;
}

/** The vault's side of media: every node's outbox out, reports and join requests in. */
export function vaultPost({ core, wake }: VaultPostOptions): Post {
  const mailbox = vaultMailbox(core);
  return {
    nodeId: core.keys.identity.nodeId,
    vaultId: core.vaultId,
    signing: () => core.keys.identity.signing,
    time() {
      const now = Math.floor(core.clock.wallMs() / 1000);
      return { lo: now, hi: now };
    },
    statements: () =>
      core.store.read(async (tx) => {
        const own = await memberStatement(tx, core.keys.identity.nodeId);
        assert(own !== null, "the vault has its own statement");
        return [...rootsAndRevoked(await core.trust.read(tx)), own];
      }),
    trust: () => core.store.read((tx) => core.trust.read(tx)),
    // The vault is where statements come from; it learns none from a medium.
    learn: () => {},
    outgoing: () => core.store.read((tx) => outgoing(core, tx)),
    wants: ({ kind, recipient }) => kind === "join" || (kind === "report" && sameBytes(recipient, mailbox)),
    take: (item) => take(core, item, wake),
    reached: ({ kind, signer }) => (kind === "report" && signer !== null ? core.store.read((tx) => headOf(tx, signer)) : null),
    append: (event) => core.store.transaction((tx) => core.log.append(tx, event)),
  };
}

async function outgoing(core: VaultCore, tx: VaultTransaction): Promise<PostItem[]> {
  const rows = await tx
    .selectFrom("outbox")
    .innerJoin("nodes", "nodes.node_id", "outbox.node_id")
    .select(["outbox.node_id", "outbox.id"])
    .where("nodes.state", "<>", "replaced")
    .orderBy("nodes.name")
    .orderBy("outbox.epoch")
    .orderBy("outbox.seq")
    .execute();
  const waiting = rows.map(({ node_id, id }): PostItem => {
    const load = () => core.store.read((within) => outboxCarrier(within, node_id, id));
    return { kind: "bundle", id, recipient: node_id, load };
  });
  const answers = await unheardAnswers(tx);
  return [...answers.filter(({ id }) => rows.every((row) => !sameBytes(row.id, id))), ...waiting];
}

async function outboxCarrier(tx: VaultTransaction, nodeId: Uint8Array, id: Uint8Array): Promise<Uint8Array | null> {
  const row = await tx
    .selectFrom("outbox")
    .select("carrier")
    .where("node_id", "=", nodeId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row?.carrier ?? null;
}

/** Answers to requests for keys of nodes that were not heard since: a later snapshot may have pushed theirs out of the outbox. */
async function unheardAnswers(tx: VaultTransaction): Promise<PostItem[]> {
  const rows = await tx
    .selectFrom("codes")
    .innerJoin("nodes", "nodes.name", "codes.name")
    .select(["nodes.node_id", "codes.answer"])
    .where("nodes.state", "=", "active")
    .where((either) =>
      either.or([either("nodes.last_heard_at", "is", null), either("nodes.last_heard_at", "<", either.ref("nodes.joined_at"))]),
    )
    .where("codes.answer", "is not", null)
    .whereRef("codes.burned_at", "=", "nodes.joined_at")
    .execute();
  return rows.flatMap(({ node_id, answer }): PostItem[] => {
    if (answer === null) return [];
    const { id } = decodeEnvelope(decodeCarrier(answer).envelope);
    return [{ kind: "bundle", id, recipient: node_id, load: () => answer }];
  });
}

async function take(core: VaultCore, { kind, carrier }: IncomingItem, wake: VaultPostOptions["wake"]): Promise<Taken> {
  if (kind === "join") {
    const { nodeId, reached, repeated } = await answerJoin(core, carrier);
    wake([nodeId, ...reached]);
    return { outcome: repeated ? "known" : "applied", code: null };
  }
  const { outcome, code, reached } = await ingestCarrier(core, carrier);
  wake(reached);
  return { outcome: outcome === "duplicate" ? "known" : outcome, code };
}

async function headOf(tx: VaultTransaction, nodeId: Uint8Array) {
  const row = await tx.selectFrom("streams").select("receiver").where("node_id", "=", nodeId).executeTakeFirst();
  return row === undefined ? null : decodeReceiver(row.receiver).head;
}
