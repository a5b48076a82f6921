import { z } from "zod";
import { type AdminRoute, adminRoute } from "../agent/admin/index.ts";
import { auditRoute } from "../agent/audit/index.ts";
import { missingAt } from "../agent/config/index.ts";
import { spaceCheck } from "../agent/member/index.ts";
import { hopStatus, nodeHealth } from "../agent/node/index.ts";
import { proxyLoginRoutes } from "../agent/proxy/index.ts";
import type { AuditEvent } from "../protocol/audit/index.ts";
import { nodeIdText } from "../protocol/keys/index.ts";
import {
  candidateOf,
  isResting,
  type RotationCode,
  RotationError,
  type RotationEvent,
  stateName,
} from "../protocol/rotation/index.ts";
import { EdgeError } from "./errors.ts";
import type { EdgeParts } from "./parts.ts";
import type { Account } from "./rotation/index.ts";
import { siteStatus } from "./site-routes.ts";

/** What the admin socket tells of one account; never a value. */
export interface AccountStatus {
  readonly path: string;
  readonly device: string;
  readonly state: string;
  /** Version that is served, `epoch.number`. */
  readonly version: string;
  readonly policy: string;
  readonly candidates: number;
  readonly pool: number;
  readonly attemptsSpent: number;
  /** Code of what it waits for, or of the last refusal. */
  readonly waiting: string | null;
  /** The member of its group that keeps it waiting, with that one's code. */
  readonly waitsFor: string | null;
  /** Code of the device's last answer. */
  readonly says: string | null;
  readonly hold: string | null;
}

const onePath = z.strictObject({ path: z.string().min(1).max(512) });

/** The edge's calls on its admin socket. */
export function adminRoutes(parts: EdgeParts): AdminRoute[] {
  return [
    adminRoute({ method: "GET", path: "/v1/status", handle: () => statusOf(parts) }),
    adminRoute({
      method: "GET",
      path: "/v1/rotations",
      handle: () => accounts(parts).map((each) => accountStatus(parts, each)),
    }),
    adminRoute({
      method: "GET",
      path: "/v1/rotation",
      query: onePath,
      handle: ({ query }) => accountStatus(parts, accountAt(parts, query.path)),
    }),
    wish(parts, "verify", { kind: "verify" }),
    wish(parts, "rotate", { kind: "rotate", by: "order" }),
    wish(parts, "retry", { kind: "retry" }),
    wish(parts, "reconcile", { kind: "reconcile" }),
    wish(parts, "release", { kind: "release" }),
    ...proxyLoginRoutes(parts.store),
    auditRoute(parts.audit),
  ];
}

/**
 * An operator's wish about one account: carried out or refused with the machine's own code. That somebody here asked stands in the log
 * with the step that it caused, in one commit.
 */
function wish(parts: EdgeParts, name: string, event: RotationEvent): AdminRoute {
  return adminRoute({
    method: "POST",
    path: `/v1/rotations/${name}`,
    body: onePath,
    handle({ body }) {
      const account = accountAt(parts, body.path);
      let code: RotationCode | null = null;
      parts.engine.commits.now(() => {
        code = parts.engine.tell(account, event);
        parts.store.transaction((tx) => void parts.audit.append(tx, asked(body.path, name, code)));
      });
      const by = code === "ROTATION_GROUP_NOT_READY" ? waitsFor(parts, account) : null;
      if (code !== null) throw new RotationError(code, `${body.path}: ${name} is refused${by === null ? "" : `, by ${by}`}`);
      parts.engine.advance(account);
      return accountStatus(parts, account);
    },
  });
}

function asked(path: string, kind: string, code: RotationCode | null): AuditEvent {
  const said = { actor: { kind: "operator", id: "local" }, subject: { kind: "account", id: path }, details: { kind } } as const;
  if (code === null) return { action: "order.accept", outcome: "ok", ...said };
  return { action: "order.refuse", outcome: "denied", code, ...said };
}

function accountAt({ credentials, node }: Pick<EdgeParts, "credentials" | "node">, path: string): Account {
  const account = credentials.accountAt(path);
  if (account === null && node.memoryOnly(path) !== null)
    throw new EdgeError("EDGE_MEMORY_ONLY", "this account's values are held in memory only: no login is made with them");
  if (account === null) throw new EdgeError("EDGE_UNKNOWN_ACCOUNT", "this edge has no account of that path");
  return account;
}

function accounts({ engine }: Pick<EdgeParts, "engine">): Account[] {
  const named = [...engine.accounts.values()].filter(({ content }) => content !== null);
  return named.sort((a, b) => ((a.content?.path ?? "") < (b.content?.path ?? "") ? -1 : 1));
}

function waitsFor({ engine }: Pick<EdgeParts, "engine">, account: Account): string | null {
  const blocker = engine.groups.blocker(account);
  return blocker === null ? null : `${blocker.path} (${blocker.code})`;
}

function accountStatus(parts: Pick<EdgeParts, "engine">, account: Account): AccountStatus {
  const { state } = account.record;
  return {
    path: account.content?.path ?? account.key,
    device: account.device?.content.name ?? "",
    state: stateName(state),
    version: candidateOf(state, state.current)?.index.join(".") ?? "",
    policy: account.content?.rotate ?? "never",
    candidates: state.candidates.length,
    pool: state.pool.length,
    attemptsSpent: state.spent,
    waiting: account.waiting,
    waitsFor: waitsFor(parts, account),
    says: account.says,
    hold: state.hold,
  };
}

function statusOf(parts: EdgeParts) {
  const { node } = parts;
  const { statement } = node.member();
  const all = accounts(parts);
  return {
    role: "edge",
    nodeId: nodeIdText(node.nodeId),
    name: statement.name,
    zone: statement.zone,
    ...node.status(),
    time: node.time(),
    health: nodeHealth(parts, [spaceCheck(parts.space)]),
    way: { way: parts.way, missing: missingAt(parts.way) },
    tunnel: hopStatus(parts.hop),
    accounts: all.length,
    unfinished: all
      .filter((each) => !isResting(each.record.state) || parts.engine.groups.overlaps(each))
      .map((each) => accountStatus(parts, each)),
    site: siteStatus(parts),
    devices: [...new Set(all.map(({ device }) => device?.content.name ?? ""))].filter((name) => name !== ""),
    audit: { ...sizes(parts), eventsSinceAnchor: parts.audit.eventsSinceAnchor() },
    forward: parts.forwards(),
    space: { ...parts.space.facts, dropped: parts.audit.space.dropped },
  };
}

function sizes({ audit }: EdgeParts): { serial: number; size: number } {
  const { serial, size } = audit.head();
  return { serial, size };
}
