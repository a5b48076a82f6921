import { join } from "node:path";
import t from "tap";
import { shortFolder } from "../support/short-folder.ts";
import { python, verdicts } from "./second-verifier.ts";
import { pynacl, versionOf } from "./tool.ts";

/** An `audit.epoch` leaf as write_log.py reads it: `signer` is the epoch whose key signs it, `tells` its `from` where that is a wrong one. */
interface Succession {
  readonly index: number;
  readonly epoch: number;
  readonly signer: number;
  readonly tells?: number;
  readonly is_broken?: boolean;
}

type Seals = readonly [size: number, epoch: number][];
type Findings = readonly [code: string, index: number][];

const first: Succession = { index: 5, epoch: 1, signer: 0 };
const chains: [title: string, successions: Succession[], seals: Seals, found: Findings, sealed: number][] = [
  ["one epoch", [], [[10, 0]], [], 10],
  [
    "two epochs",
    [first],
    [
      [5, 0],
      [10, 1],
    ],
    [],
    10,
  ],
  [
    "an epoch that begins with the log",
    [{ ...first, index: 0 }],
    [
      [0, 0],
      [10, 1],
    ],
    [],
    10,
  ],
  [
    "an epoch left out",
    [{ ...first, epoch: 2 }],
    [
      [5, 0],
      [10, 2],
    ],
    [["EPOCH-GAP", 5]],
    10,
  ],
  [
    "a succession signed by another key",
    [{ ...first, signer: 3 }],
    [
      [5, 0],
      [10, 1],
    ],
    [["KEY-EPOCH", 5]],
    10,
  ],
  [
    "a succession of another place",
    [{ ...first, tells: 3 }],
    [
      [4, 0],
      [10, 1],
    ],
    [["KEY-EPOCH", 5]],
    10,
  ],
  [
    "a succession of a later place",
    [{ ...first, tells: 8 }],
    [
      [5, 0],
      [7, 0],
      [10, 1],
    ],
    [
      ["KEY-EPOCH", 5],
      ["KEY-EPOCH", 7],
    ],
    10,
  ],
  [
    "a succession without a key",
    [{ ...first, is_broken: true }],
    [
      [5, 0],
      [10, 0],
    ],
    [["KEY-EPOCH", 5]],
    10,
  ],
  ["the epoch before ended without a seal", [first], [[10, 1]], [["EPOCH-GAP", 5]], 10],
  [
    "an ended epoch's key",
    [first],
    [
      [5, 0],
      [10, 0],
    ],
    [
      ["UNSEALED-TAIL", 5],
      ["KEY-EPOCH", 10],
    ],
    5,
  ],
  [
    "the key of an epoch that never began",
    [],
    [[10, 1]],
    [
      ["UNSEALED-TAIL", 0],
      ["EPOCH-GAP", 10],
    ],
    0,
  ],
  [
    "epochs that count down",
    [first, { index: 7, epoch: 0, signer: 1 }],
    [
      [5, 0],
      [7, 1],
      [10, 1],
    ],
    [
      ["EPOCH-GAP", 7],
      ["UNSEALED-TAIL", 7],
      ["EPOCH-GAP", 10],
    ],
    7,
  ],
];

t.test("a log that the second implementation wrote means the same to both verifiers", async (t) => {
  if (versionOf(t, pynacl) === null) return;
  for (const [title, successions, seals, found, sealed] of chains) {
    const folder = join(shortFolder(t), "log");
    const told = { size: 10, successions, seals: seals.map(([size, epoch]) => ({ size, epoch })) };
    t.equal(python("write_log.py", [folder], JSON.stringify(told)).stderr, "", title);
    const { ours, theirs } = await verdicts(folder);
    t.same({ found: ours.found, sealed: ours.sealed }, { found, sealed }, title);
    t.same(theirs, ours, title);
  }
});
