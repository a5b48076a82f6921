import { storeStorage } from "../../agent/audit/index.ts";
import type { Store } from "../../agent/store/index.ts";
import { decodeCheckpoint, verifyLog } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { importVerifyKey, nodeIdText } from "../../protocol/keys/index.ts";
import { type MemberStatement, newestRoot, type TrustState } from "../../protocol/trust/index.ts";
import type { World } from "./world.ts";

/** What is wrong with the audit logs, as an auditor with a copy of each disk finds it. Entries after the last checkpoint are not sealed yet. */
export function auditProblems(world: World): string[] {
  const problems: string[] = [];
  for (const { name, running } of [world.gateway, ...world.edges]) {
    if (running === null) continue;
    const parts = "core" in running ? running.core : running.parts;
    const { statement } = parts.node.member();
    const log = logOf(parts.store);
    problems.push(...verify(name, { ...log, member: statement, trust: parts.node.trust() }));
  }
  return [...problems, ...vaultProblems(world)];
}

interface Log {
  readonly leaves: readonly Uint8Array[];
  readonly checkpoint: Uint8Array | null;
  /** The final checkpoints of ended epochs. */
  readonly finals: readonly Uint8Array[];
}

function logOf(store: Store): Log {
  return store.read((view) => {
    const reading = storeStorage(0).read(view);
    const finals: Uint8Array[] = [];
    for (let final = reading.mark("final/0"); final !== null; final = reading.mark(`final/${finals.length}`))
      finals.push(final);
    return { leaves: reading.leaves(0, 1_000_000), checkpoint: reading.mark("checkpoint"), finals };
  });
}

function vaultProblems({ vaultDisk, gateway, vault }: World): string[] {
  const trust = gateway.running?.parts.node.trust();
  const nodeId = vault.running?.vault.core.keys.identity.nodeId;
  const member = nodeId === undefined ? undefined : trust?.members.get(toHex(nodeId))?.statement;
  if (trust === undefined || member === undefined) return [];
  const leaves = vaultDisk.all<{ leaf: Uint8Array }>("select leaf from audit_leaves where log = 0 order by place");
  const [mark] = vaultDisk.all<{ value: Uint8Array }>("select value from audit_marks where log = 0 and name = 'checkpoint'");
  const finals = vaultDisk.all<{ value: Uint8Array }>("select value from audit_marks where log = 0 and name like 'final/%'");
  return verify("vault", {
    finals: finals.map(({ value }) => value),
    leaves: leaves.map(({ leaf }) => leaf),
    checkpoint: mark?.value ?? null,
    member,
    trust,
  });
}

function verify(name: string, log: Log & { member: MemberStatement; trust: TrustState }): string[] {
  const { leaves, checkpoint, finals, member, trust } = log;
  if (checkpoint === null) return [`${name} has an audit log without a checkpoint`];
  const { findings } = verifyLog({
    leaves,
    hashes: new Uint8Array(0),
    checkpoints: [...finals, checkpoint],
    member: {
      trustDomain: newestRoot(trust).document.trustDomain,
      node: nodeIdText(member.nodeId),
      logKey: importVerifyKey(member.logKey),
      epochKey: importVerifyKey(member.epochKey),
    },
    anchors: [],
  });
  const { size } = decodeCheckpoint(checkpoint);
  return findings
    .filter(({ code, index }) => code !== "UNSEALED-TAIL" || (index ?? 0) < size)
    .map(({ code, says }) => `${name}'s audit log: ${code}, ${says}`);
}
