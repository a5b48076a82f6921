import type { AuditLog } from "../../agent/audit/index.ts";
import type { Log } from "../../agent/log/index.ts";
import type { JoinedNode } from "../../agent/node/index.ts";
import type { Store, Transaction } from "../../agent/store/index.ts";
import { sameBytes } from "../../protocol/base/index.ts";
import { compareIndex, type VersionIndex } from "../../protocol/bundle/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import type { ItemOutcome } from "../../protocol/courier/index.ts";
import { decodeCarrier, decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText } from "../../protocol/keys/index.ts";
import { compareLeaves, NoticeError, type OpenedNotice, openNotice } from "../../protocol/notice/index.ts";
import type { HeldValues } from "./live-value.ts";
import { liveValue } from "./live-value.ts";
import { readTold, type ToldRow, writeTold } from "./told-rows.ts";

/** An account that this gateway serves, with its values. */
export interface ServedAccount extends HeldValues<{ readonly index: VersionIndex }> {
  readonly path: string;
}

export interface NoticeDeskOptions {
  readonly node: JoinedNode;
  readonly audit: AuditLog;
  readonly store: Store;
  readonly log: Log;
  /** The account of this id, or null where no application here reads it. */
  account(accountId: Uint8Array): ServedAccount | null;
  /** Part of the transaction: another value is served from now on. */
  onSwitch(tx: Transaction, accountId: Uint8Array, index: VersionIndex): void;
  /** After the commit. */
  onTaken(path: string): void;
}

/** Takes the edges' notices in: what their devices log in with now, long before the vault can say so. */
export class NoticeDesk {
  readonly #options: NoticeDeskOptions;

  constructor(options: NoticeDeskOptions) {
    this.#options = options;
  }

  /** Verifies and keeps a notice; durable when this returns. Throws as `openNotice`, and NOTICE_NOT_OWNER. */
  take(carrier: Uint8Array): ItemOutcome {
    const { node, store, account } = this.#options;
    const { statements, envelope } = decodeCarrier(carrier);
    if (statements.length > 0) node.learn(statements);
    const notice = openNotice(decodeEnvelope(envelope), node.trust());
    const served = account(notice.accountId);
    // Nobody here reads it, or not any more.
    if (served === null) return "stored";
    if (!served.path.startsWith(`${notice.zone}/`)) {
      throw new NoticeError("NOTICE_NOT_OWNER", `an edge of zone ${notice.zone} speaks of another's account`);
    }
    const unknown = isUnknown(served, notice);
    const told = store.transaction((tx) => this.#keep(tx, served, notice, unknown));
    if (told === null) return "stored";
    if (unknown) node.wishSnapshot();
    this.#options.onTaken(served.path);
    return "stored";
  }

  /** Null where it says nothing new. */
  #keep(tx: Transaction, served: ServedAccount, notice: OpenedNotice, unknown: boolean): ToldRow | null {
    const { nodeId, accountId, leaf } = notice;
    const before = readTold(tx, accountId);
    const known = before !== null && sameBytes(before.nodeId, nodeId);
    if (known && compareLeaves(leaf, before.leaf) <= 0) return null;
    const told: ToldRow =
      notice.state === "sent"
        ? { nodeId, leaf, live: before?.live ?? null, sent: notice.index }
        : { nodeId, leaf, live: notice.index, sent: null };
    writeTold(tx, accountId, told);
    const was = liveValue(served, before, false).served.index;
    const now = liveValue(served, told, false).served.index;
    if (compareIndex(was, now) !== 0) {
      this.#options.onSwitch(tx, accountId, now);
      this.#leaf(tx, served.path, now);
    }
    if (unknown) this.#alarm(tx, served.path, notice.index);
    return told;
  }

  #leaf(tx: Transaction, path: string, { epoch, number }: VersionIndex): void {
    const { audit, node } = this.#options;
    audit.append(tx, {
      action: "credential.switch",
      actor: { kind: "node", id: nodeIdText(node.nodeId) },
      subject: { kind: "account", id: path },
      outcome: "ok",
      details: { epoch, number },
    });
  }

  #alarm(tx: Transaction, path: string, { epoch, number }: VersionIndex): void {
    const { audit, node, log } = this.#options;
    const code = "NOTICE_UNKNOWN_VALUE";
    audit.append(tx, {
      action: "alarm.raise",
      actor: { kind: "node", id: nodeIdText(node.nodeId) },
      subject: { kind: "account", id: path },
      outcome: "failed",
      code,
      details: { reason: `version ${epoch}.${number}` },
    });
    const fact = { kind: "alarm", code, subject: `${path} version ${epoch}.${number}`, at: node.time() } as const;
    node.queueReport(tx, [encodeFact(fact)]);
    log.error("alarm.raised", { code, account: path });
  }
}

/** True for a value that is ahead of the vault's word here, or behind it by the edge's, and that this gateway does not hold. */
function isUnknown({ current, pending }: ServedAccount, { index, state }: OpenedNotice): boolean {
  const held = [current, ...pending].some((value) => compareIndex(value.index, index) === 0);
  return !held && (state === "reverted" || compareIndex(index, current.index) > 0);
}
