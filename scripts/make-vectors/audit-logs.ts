// Writes protocol/vectors/audit-logs.json.
import {
  type AuditEvent,
  decodeLeaf,
  emptyTree,
  encodeLeaf,
  rootOf,
  sequence,
  signCheckpoint,
  successionDetails,
  verifyLog,
} from "../../protocol/audit/index.ts";
import { concat, toHex } from "../../protocol/base/index.ts";
import { type SigningKey, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import {
  editedLeaf,
  epochKeys,
  inputOf,
  leafAt,
  logKey,
  node,
  origin,
  reseal,
  type SampleLog,
  sampleLog,
  sealed,
  successionAt,
} from "../../test/protocol/audit/sample-log.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { writeVectors } from "./write-vectors.ts";

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
const size = 10;
const epochs = [4, 5];
const honest = sampleLog({ size, epochs, anchors: [3, 8] });
const at = (index: number) => honest.leaves[index] as Uint8Array;
const newest = (log: SampleLog, last: Uint8Array): SampleLog => ({
  ...log,
  anchors: [],
  checkpoints: [...log.checkpoints.slice(0, 2), last],
});
const moved = honest.leaves.toSpliced(4, 1).map((bytes, index) => encodeLeaf({ ...decodeLeaf(bytes), index }));
const forked = sampleLog({ size, forkedFrom: 6 });
const stranger = signingKeyFromSeed(new Uint8Array(32).fill(99));
const whole3 = { size: 3, root: rootOf(sequence(emptyTree, sampleLog({ size: 3 }).leaves).state) };
const strange = signCheckpoint(origin, whole3, { log: stranger, epoch: epochKeys[0] as SigningKey, epochNumber: 0 });
/** Epoch 1 begins at 4 by a leaf that says 3. */
const early = encodeLeaf({ ...decodeLeaf(encodeLeaf(leafAt(3, successionAt(3, 1)))), index: 4 });
const misplaced: SampleLog = { ...sampleLog({ size: 8 }), leaves: sampleLog({ size: 8 }).leaves.with(4, early), hashes: [] };
/** Epoch 0 hands over to a key of small order (y = 1), under which anybody could seal. */
const weakKey = Uint8Array.of(1, ...new Uint8Array(31));
const ending = epochKeys[0] as SigningKey;
const weak = successionDetails(origin, { epoch: 1, publicKey: weakKey, from: 4 }, (message) => ending.sign(message));
const weakened: SampleLog = {
  ...sampleLog({ size: 8 }),
  leaves: sampleLog({ size: 8 }).leaves.with(4, encodeLeaf(leafAt(4, { ...successionAt(4, 1), details: weak } as AuditEvent))),
  hashes: [],
};
const tampered: [string, SampleLog][] = [
  ["edited at 0", { ...honest, leaves: honest.leaves.with(0, editedLeaf(0)) }],
  ["edited at 7", { ...honest, leaves: honest.leaves.with(7, editedLeaf(7)) }],
  ["edited at 7, without hash tiles", { ...honest, hashes: [], leaves: honest.leaves.with(7, editedLeaf(7)) }],
  ["made unreadable at 2", { ...honest, leaves: honest.leaves.with(2, Buffer.from("not a leaf")) }],
  ["another log's leaf at 3", { ...honest, leaves: honest.leaves.with(3, encodeLeaf({ ...decodeLeaf(at(3)), log: 1 })) }],
  ["a leaf inserted before 6", { ...honest, leaves: honest.leaves.toSpliced(6, 0, editedLeaf(6)) }],
  ["a leaf doubled", { ...honest, leaves: honest.leaves.toSpliced(6, 0, at(6)) }],
  ["deleted at 0", { ...honest, leaves: honest.leaves.slice(1) }],
  ["deleted at 4 to 6", { ...honest, leaves: honest.leaves.toSpliced(4, 3) }],
  ["deleted at 4 to 6, without hash tiles", { ...honest, hashes: [], leaves: honest.leaves.toSpliced(4, 3) }],
  ["swapped 6 and 7", { ...honest, leaves: honest.leaves.with(6, at(7)).with(7, at(6)) }],
  [
    "deleted at 1, edited at 3, swapped 6 and 7",
    { ...honest, leaves: honest.leaves.with(6, at(7)).with(7, at(6)).with(3, editedLeaf(3)).toSpliced(1, 1) },
  ],
  [
    "without checkpoints, seen by an anchor alone: no epoch was ended",
    { ...sampleLog({ size, epochs, anchors: [size] }), checkpoints: [] },
  ],
  [
    "without checkpoints, another log's leaf behind an anchor",
    {
      ...sampleLog({ size: 4, checkpoints: [], anchors: [3] }),
      leaves: [...honest.leaves.slice(0, 3), encodeLeaf({ ...decodeLeaf(at(3)), log: 1 })],
    },
  ],
  [
    "all checkpoints of another serial than the anchor's",
    { ...honest, anchors: honest.anchors.map((one) => ({ ...one, origin: origin.replace(/0$/, "1") })) },
  ],
  ["cut at 9", { ...honest, leaves: honest.leaves.slice(0, 9) }],
  ["cut to an older checkpoint, seen by an anchor", { ...sampleLog({ size: 6, epochs }), anchors: honest.anchors }],
  ["rewritten from 6 and resealed, seen by an anchor", { ...forked, anchors: sampleLog({ size, anchors: [3, 8] }).anchors }],
  [
    "rewritten from 1 and resealed by the newest epoch, seen by the final checkpoint of epoch 0",
    newest(
      { ...sampleLog({ size, epochs, forkedFrom: 1 }), checkpoints: honest.checkpoints },
      sampleLog({ size, epochs, forkedFrom: 1 }).checkpoints.at(-1) as Uint8Array,
    ),
  ],
  ["the empty epoch 1 removed and resealed", { ...newest(honest, reseal(moved, 2)), leaves: moved, hashes: [] }],
  ["the final checkpoint of epoch 0 missing", { ...honest, checkpoints: honest.checkpoints.slice(1) }],
  ["resealed with the key of an ended epoch", newest(honest, reseal(honest.leaves, 0))],
  ["an old size resealed with the newest key", newest(honest, reseal(honest.leaves, 2, 5))],
  [
    "a checkpoint without the epoch key's signature",
    {
      ...sampleLog({ size: 3 }),
      checkpoints: [
        Buffer.from(
          `${Buffer.from(sampleLog({ size: 3 }).checkpoints[0] as Uint8Array)
            .toString()
            .split("\n")
            .slice(0, 5)
            .join("\n")}\n`,
        ),
      ],
    },
  ],
  [
    "a checkpoint that the log key did not sign: two findings at one index",
    newest({ ...sampleLog({ size: 3 }), checkpoints: [] }, strange),
  ],
  [
    "swapped 6 and 7, a stranger between them",
    { ...honest, leaves: honest.leaves.with(6, at(7)).with(7, at(6)).toSpliced(7, 0, editedLeaf(6)) },
  ],
  ["a checkpoint that seals nothing and does not fit", newest(honest, reseal(honest.leaves.with(7, editedLeaf(7)), 0))],
  [
    "a succession that tells another place",
    { ...misplaced, checkpoints: [reseal(misplaced.leaves.slice(0, 4), 0), reseal(misplaced.leaves, 1)] },
  ],
  [
    "a succession to a key of small order",
    { ...weakened, checkpoints: [reseal(weakened.leaves.slice(0, 4), 0), reseal(weakened.leaves, 0)] },
  ],
  [
    "a checkpoint of another trust domain",
    {
      ...sampleLog({ size: 3 }),
      checkpoints: [
        Buffer.from(
          Buffer.from(sealed({ size: 3, root: rootOf(sequence(emptyTree, sampleLog({ size: 3 }).leaves).state) }, 0))
            .toString()
            .replaceAll("plant.example", "other.example"),
        ),
      ],
    },
  ],
];
/** A node that crashed after entry 6 and sealed what it had when it came back, in the next epoch's first checkpoint. */
const afterCrash = sampleLog({ size, epochs: [4, 5], checkpoints: [6, size], anchors: [6] });
/** Copies that begin at entry 5: what is before stands as hashes, and the successions among it as leaves. */
const later: [string, SampleLog, Uint8Array[]][] = [
  ["a copy from 5 on", honest, [at(4)]],
  ["a copy from 5 on, edited at 7", { ...honest, leaves: honest.leaves.with(7, editedLeaf(7)) }, [at(4)]],
  ["a copy from 5 on without the succession before it", honest, []],
  ["a copy from 5 on with another succession before it", honest, [editedLeaf(4)]],
  ["a copy from 5 on, a hash before it altered", { ...honest, hashes: honest.hashes.with(1, new Uint8Array(32)) }, [at(4)]],
  ["a copy from 5 on, deleted at 6", { ...honest, leaves: honest.leaves.toSpliced(6, 1) }, [at(4)]],
];
const whole: [string, SampleLog][] = [
  ["honest, three epochs, two anchors", honest],
  ["honest, one entry", sampleLog({ size: 1 })],
  ["honest, a crash before the checkpoint", sampleLog({ size, epochs, checkpoints: [7] })],
  ["honest, a crash before the first checkpoint", sampleLog({ size: 3, checkpoints: [] })],
  ["honest, a crash and a start after it, three epochs", afterCrash],
  ["honest, sealed by an anchor alone", sampleLog({ size: 3, checkpoints: [], anchors: [3] })],
];

writeVectors("audit-logs", {
  area: "audit",
  about:
    "Whole logs and what a verifier must find in them: findings as [code, index] in order. Leaves and checkpoints are texts (leaves in ISO 8859-1), hashes the level-0 tiles one after another. Where `before` stands, the copy begins with entry `count`: `leaves` are those from there on, and `successions` the lines of keys.jsonl.",
  cases: [...whole, ...tampered, ...later].map(([name, log, successions]): VectorCase => {
    const leaves = successions === undefined ? log.leaves : log.leaves.slice(5);
    const before = successions === undefined ? null : { count: 5, successions };
    const verdict = verifyLog({ ...inputOf(log), leaves, before });
    return {
      name,
      expect: "ok",
      kind: "log",
      member: {
        trustDomain: "plant.example",
        node,
        logKey: toHex(logKey.publicKey),
        epochKey: toHex((epochKeys[0] as SigningKey).publicKey),
      },
      leaves: leaves.map(textOf),
      ...(before === null ? {} : { before: { count: before.count, successions: before.successions.map(textOf) } }),
      hashes: toHex(concat(...log.hashes)),
      checkpoints: log.checkpoints.map((bytes) => Buffer.from(bytes).toString()),
      anchors: log.anchors.map(({ origin, size: covered, root }) => ({ origin, size: covered, root: toHex(root) })),
      findings: verdict.findings.map(({ code, index }) => [code, index]),
      sealedSize: verdict.sealedSize,
    };
  }),
});
