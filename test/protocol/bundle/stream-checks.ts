import { sameBytes } from "../../../protocol/base/index.ts";
import {
  type BundleHeader,
  bundleKind,
  bundleLimits,
  direction,
  emptyDigest,
  itemApplied,
  type Judge,
  type ReceiverState,
  requireSnapshot,
  startReceiver,
} from "../../../protocol/bundle/index.ts";
import { EdgeEnd, reportHeads, sampleContext, secondTrust, VaultEnd, wanted } from "./rig.ts";

/** One promise of a stream, kept by every judge that is right. Run by the tests on the real judge and on planted ones. */
export interface StreamCheck {
  readonly name: string;
  /** Null where the promise holds, else what happened instead. */
  run(judge: Judge): string | null;
}

interface Step {
  readonly what: string;
  readonly is: unknown;
  readonly due: unknown;
}

/** First step that is not as it should be. */
function firstWrong(steps: readonly Step[]): string | null {
  const wrong = steps.find(({ is, due }) => JSON.stringify(is) !== JSON.stringify(due));
  return wrong === undefined ? null : `${wrong.what}: ${JSON.stringify(wrong.is)}, expected ${JSON.stringify(wrong.due)}`;
}

/** An edge that applied a snapshot with one entry, and its vault. */
function joined(judge: Judge): { vault: VaultEnd; edge: EdgeEnd } {
  const vault = new VaultEnd();
  const edge = new EdgeEnd(judge);
  edge.take(vault.issue([wanted(1, 1)]).carrier);
  return { vault, edge };
}

/** A header as if it had been verified; for places that no honest vault would issue. */
function bareHeader(changes: Parameters<typeof sampleContext>[0]): BundleHeader {
  const seal = { encapsulated: new Uint8Array(1120), commitment: new Uint8Array(32) };
  return { ...sampleContext(changes), ...seal, ciphertextLength: 272, ciphertextHash: new Uint8Array(32) };
}

function id(byte: number): Uint8Array {
  return new Uint8Array(32).fill(byte);
}

/** A receiver in NORMAL whose head is (1, 5), applied under root 2. */
function followed(): ReceiverState {
  const fresh = startReceiver({ epoch: 1, rootVersion: 1, stateDigest: emptyDigest(), nonce: new Uint8Array(16).fill(1) });
  const header = bareHeader({ seq: 5, prev: id(4), root: { version: 2, id: id(0x22) } });
  return itemApplied(fresh, header, id(5), emptyDigest()).receiver;
}

export const streamChecks: readonly StreamCheck[] = [
  {
    name: "a gateway that replays a bundle changes nothing",
    run(judge) {
      const { vault, edge } = joined(judge);
      const second = vault.issue([wanted(1, 2)]);
      const third = vault.issue([wanted(1, 3)]);
      return firstWrong([
        { what: "second", is: edge.take(second.carrier), due: "apply" },
        { what: "third", is: edge.take(third.carrier), due: "apply" },
        { what: "second again", is: edge.take(second.carrier), due: "duplicate" },
        { what: "third again", is: edge.take(third.carrier), due: "duplicate" },
        { what: "values", is: edge.values(), due: ["value 1.3"] },
        { what: "receipt", is: edge.receiver.head?.seq, due: 3 },
      ]);
    },
  },
  {
    name: "a gateway that reorders bundles only delays them",
    run(judge) {
      const { vault, edge } = joined(judge);
      const [second, third, fourth] = [2, 3, 4].map((version) => vault.issue([wanted(1, version)]));
      return firstWrong([
        { what: "fourth first", is: edge.take((fourth as typeof second & object).carrier), due: "hold" },
        { what: "third", is: edge.take((third as typeof second & object).carrier), due: "hold" },
        { what: "third again", is: edge.take((third as typeof second & object).carrier), due: "hold" },
        { what: "nothing applied", is: edge.values(), due: ["value 1.1"] },
        { what: "second", is: edge.take((second as typeof third & object).carrier), due: "apply" },
        { what: "all applied", is: edge.values(), due: ["value 1.4"] },
        { what: "nothing held", is: [edge.receiver.held.length, edge.held.size], due: [0, 0] },
      ]);
    },
  },
  {
    name: "a gateway that drops a bundle is noticed, and a snapshot heals it",
    run(judge) {
      const { vault, edge } = joined(judge);
      vault.issue([wanted(1, 2)]);
      const third = vault.issue([wanted(1, 3)]);
      const held = edge.take(third.carrier);
      const acknowledged = edge.receiver.head?.seq;
      const snapshot = vault.issue([wanted(1, 4)], { snapshot: true });
      return firstWrong([
        { what: "after the gap", is: held, due: "hold" },
        { what: "acknowledged", is: acknowledged, due: 1 },
        { what: "snapshot", is: edge.take(snapshot.carrier), due: "apply" },
        { what: "values", is: edge.values(), due: ["value 1.4"] },
        { what: "held", is: [edge.receiver.held.length, edge.held.size], due: [0, 0] },
        { what: "what came late", is: edge.take(third.carrier), due: "duplicate" },
      ]);
    },
  },
  {
    name: "a gateway that drops bundles for long makes the edge ask for a snapshot",
    run(judge) {
      const { vault, edge } = joined(judge);
      vault.issue([wanted(1, 2)]);
      const verdicts = new Set<string>();
      for (let n = 0; n < bundleLimits.heldItems; n += 1) verdicts.add(edge.take(vault.issue([wanted(1, 3 + n)]).carrier));
      const oneTooMany = edge.take(vault.issue([wanted(1, 500)]).carrier);
      const outcome = reportHeads(edge, vault);
      return firstWrong([
        { what: "up to the limit", is: [...verdicts], due: ["hold"] },
        { what: "limit + 1", is: oneTooMany, due: "STREAM_HELD_FULL" },
        { what: "report", is: [outcome, vault.sender.snapshotWanted], due: ["asks", true] },
        { what: "snapshot", is: edge.take(vault.issue([wanted(1, 501)]).carrier), due: "apply" },
        { what: "next report", is: reportHeads(edge, vault), due: "advanced" },
      ]);
    },
  },
  {
    name: "two items under one number are a fork, applied or held",
    run(judge) {
      const { vault, edge } = joined(judge);
      const before = { sender: vault.sender, exported: vault.exported };
      const one = vault.issue([wanted(1, 2)]);
      const oneMore = vault.issue([wanted(1, 3)]);
      Object.assign(vault, before);
      const other = vault.issue([wanted(1, 4)]);
      const otherMore = vault.issue([wanted(1, 5)]);
      return firstWrong([
        { what: "held", is: edge.take(oneMore.carrier), due: "hold" },
        { what: "another under the held number", is: edge.take(otherMore.carrier), due: "STREAM_FORK" },
        { what: "first", is: edge.take(one.carrier), due: "apply" },
        { what: "another under the applied number", is: edge.take(other.carrier), due: "STREAM_FORK" },
        { what: "values", is: edge.values(), due: ["value 1.3"] },
      ]);
    },
  },
  {
    name: "a delta that follows on another predecessor is refused",
    run(judge) {
      const { vault, edge } = joined(judge);
      const before = { sender: vault.sender, exported: vault.exported };
      const lost = vault.issue([wanted(2, 1)]);
      Object.assign(vault, before);
      const applied = vault.issue([wanted(1, 2)]);
      vault.sender = { ...vault.sender, prev: lost.id };
      const third = vault.issue([wanted(1, 3)]);
      const judged = edge.take(applied.carrier);
      return firstWrong([
        { what: "second", is: judged, due: "apply" },
        { what: "third on another second", is: edge.take(third.carrier), due: "STREAM_PREV_MISMATCH" },
        { what: "values", is: edge.values(), due: ["value 1.2"] },
      ]);
    },
  },
  {
    name: "an old snapshot fed to a fresh edge is refused",
    run(judge) {
      const old = new VaultEnd();
      old.sender = { ...old.sender, heardNonces: [new Uint8Array(16).fill(0x0d)] };
      const recorded = old.issue([wanted(1, 1)]);
      const vault = new VaultEnd();
      vault.sender = { ...vault.sender, nextSeq: 2, prev: recorded.id };
      const answer = vault.issue([wanted(1, 9)], { snapshot: true });
      const follower = vault.issue([wanted(1, 10)]);
      const edge = new EdgeEnd(judge);
      return firstWrong([
        { what: "recorded before the edge existed", is: edge.take(recorded.carrier), due: "STREAM_NONCE_REQUIRED" },
        { what: "a delta", is: edge.take(follower.carrier), due: "STREAM_NONCE_REQUIRED" },
        { what: "values", is: edge.values(), due: [] },
        { what: "the answer to its nonce", is: edge.take(answer.carrier), due: "apply" },
        { what: "the old one again", is: edge.take(recorded.carrier), due: "duplicate" },
        { what: "values after", is: edge.values(), due: ["value 1.9"] },
      ]);
    },
  },
  {
    name: "an edge in quarantine applies only what was made after it asked",
    run(judge) {
      const { vault, edge } = joined(judge);
      const followers = [vault.issue([wanted(1, 2)]), vault.issue([wanted(1, 3)], { snapshot: true })];
      edge.receiver = requireSnapshot(edge.receiver, "QUARANTINE", edge.nonce());
      const refusals = followers.map((built) => edge.take(built.carrier));
      const report = reportHeads(edge, vault);
      const answer = vault.issue([wanted(1, 4)]);
      return firstWrong([
        { what: "made before", is: refusals, due: ["STREAM_NONCE_REQUIRED", "STREAM_NONCE_REQUIRED"] },
        { what: "values", is: edge.values(), due: ["value 1.1"] },
        { what: "report", is: report, due: "asks" },
        { what: "answer", is: edge.take(answer.carrier), due: "apply" },
        { what: "proof of freshness", is: edge.answered, due: "current" },
        { what: "mode", is: edge.receiver.mode, due: "NORMAL" },
      ]);
    },
  },
  {
    name: "a snapshot that is not above the head never applies, whatever it answers",
    run(judge) {
      const { vault, edge } = joined(judge);
      const before = vault.sender;
      edge.take(vault.issue([wanted(1, 2)]).carrier);
      edge.take(vault.issue([wanted(1, 3)]).carrier);
      edge.receiver = { ...requireSnapshot(edge.receiver, "REJOINED", edge.nonce()), recent: [] };
      vault.sender = { ...before, heardNonces: [edge.receiver.nonce] };
      const older = vault.issue([wanted(1, 1)], { snapshot: true });
      return firstWrong([
        { what: "older", is: edge.take(older.carrier), due: "duplicate" },
        { what: "values", is: edge.values(), due: ["value 1.3"] },
      ]);
    },
  },
  {
    name: "the vault epoch never goes down, and a new one begins with a snapshot",
    run(judge) {
      const { vault, edge } = joined(judge);
      vault.trust = secondTrust(2);
      edge.trust = secondTrust(2);
      const stale = vault.issue([wanted(1, 2)]);
      vault.sender = { ...new VaultEnd().sender, epoch: 2 };
      const first = vault.issue([wanted(1, 3)]);
      const second = vault.issue([wanted(1, 4)]);
      const overtaking = edge.take(second.carrier);
      const verdict = edge.take(first.carrier);
      const late = judge(
        edge.receiver,
        bareHeader({ seq: 9, prev: id(8), vaultEpoch: 1, answers: [edge.receiver.nonce] }),
        id(9),
      );
      return firstWrong([
        { what: "of the ended epoch", is: edge.take(stale.carrier), due: "STREAM_EPOCH_DOWN" },
        { what: "a delta of the new epoch", is: overtaking, due: "hold" },
        { what: "its snapshot", is: verdict, due: "apply" },
        { what: "judged by the stream alone", is: late.code, due: "STREAM_EPOCH_DOWN" },
        { what: "values", is: edge.values(), due: ["value 1.4"] },
      ]);
    },
  },
  {
    name: "the root version that items are issued under never goes down",
    run(judge) {
      const receiver = followed();
      const older = { version: 1, id: id(0x11) };
      const delta = judge(receiver, bareHeader({ seq: 6, prev: id(5), kind: bundleKind.delta, root: older }), id(6));
      const snapshot = judge(receiver, bareHeader({ seq: 7, prev: id(6), root: older }), id(7));
      return firstWrong([
        { what: "delta", is: delta.code, due: "STREAM_ROOT_DOWN" },
        { what: "snapshot", is: snapshot.code, due: "STREAM_ROOT_DOWN" },
      ]);
    },
  },
  {
    name: "a report stream is judged by the same rules",
    run(judge) {
      const up = { direction: direction.up, root: { version: 2, id: id(0x22) } };
      const receiver = followed();
      const next = bareHeader({ ...up, seq: 6, prev: id(5), kind: bundleKind.delta });
      const fork = judge(receiver, { ...next, seq: 5, prev: id(4) }, id(0x55));
      return firstWrong([
        { what: "next", is: judge(receiver, next, id(6)).verdict, due: "apply" },
        { what: "fork", is: fork, due: { verdict: "refuse", code: "STREAM_FORK", quarantine: true } },
        { what: "ahead", is: judge(receiver, { ...next, seq: 8 }, id(8)).verdict, due: "hold" },
        { what: "head", is: sameBytes(receiver.head?.id ?? id(0), id(5)), due: true },
      ]);
    },
  },
];
