import type { Dice } from "./dice.ts";
import type { DiskFault } from "./disk.ts";
import { type Fault, faults } from "./fault-table.ts";
import { type Act, acts } from "./people.ts";

/** What has to be going on for a process to pass a failpoint. */
type Situation =
  | "rotation"
  | "proof"
  | "refused value"
  | "older value comes back"
  | "value from a person"
  | "value that nobody knows"
  | "hold";

/** Transitions of the rotation: an edge's process may end before and after each. */
const transitions: Readonly<Record<string, Situation>> = {
  staged: "rotation",
  preflight: "rotation",
  sent: "rotation",
  record: "rotation",
  probe: "rotation",
  "new-ok": "rotation",
  save: "rotation",
  saved: "rotation",
  reverify: "rotation",
  verified: "rotation",
  acknowledged: "rotation",
  verify: "proof",
  proven: "proof",
  rejected: "refused value",
  reverted: "older value comes back",
  given: "value from a person",
  unknown: "value that nobody knows",
  retried: "value that nobody knows",
  cancelled: "hold",
};

interface Place {
  readonly node: "edge" | "vault";
  /** Before and after one transition. */
  readonly failpoints: readonly [string, string];
  readonly situation: Situation;
}

function place(node: Place["node"], name: string, situation: Situation): Place {
  const sides: Place["failpoints"] = [name.replace(".", ".before-"), name.replace(".", ".after-")];
  return { node, failpoints: sides, situation };
}

const everyPlace: readonly Place[] = [
  ...Object.entries(transitions).map(([name, situation]) => place("edge", `rotation.${name}`, situation)),
  ...["ingest", "issue", "commit"].map((name) => place("vault", `vault.${name}`, "rotation")),
];

/** What takes more than an order is looked at twice as often: not every world comes there. */
const places = [...everyPlace, ...everyPlace.filter(({ situation }) => situation !== "rotation")];

/** Failpoints at which the processes of this kind of node end. */
export function failpointsOf(node: Place["node"]): string[] {
  return everyPlace.filter((each) => each.node === node).flatMap(({ failpoints }) => failpoints);
}

const nodes = ["vault", "gateway", "edge"] as const;
export type NodeKind = (typeof nodes)[number];

const kinds: readonly DiskFault[] = ["crash before", "crash after", "no space", "io, lost", "io, kept"];
const diskFaults = nodes.flatMap((node) => kinds.map((kind) => ({ node, kind })));

/** What a seed looks at before everything else, so that a few hundred seeds in a row have looked everywhere. */
export interface Focus extends Place {
  /** How often each failpoint is passed before it ends the process. */
  readonly skip: number;
  readonly disk: { readonly node: NodeKind; readonly kind: DiskFault };
}

/** What else people do in a world, and what else goes wrong there. */
export interface Sideshow {
  readonly act: Act;
  readonly fault: Fault;
  /** Where it goes wrong, if that is a node. */
  readonly node: NodeKind;
}

const actNames = Object.keys(acts) as Act[];
// A mangled message may be mangled in three ways.
const faultNames: readonly Fault[] = [...(Object.keys(faults) as Fault[]), "mangle", "mangle"];

/** Dealt in turn, so that a few hundred seeds in a row have seen all of it. */
export function sideshowOf(seed: number): Sideshow {
  const act = inTurn(actNames, seed);
  const node = inTurn(nodes, seed);
  // What a crash may take back is what an application's reads have written.
  if (act === "read with an application") return { act, node: node === "vault" ? "edge" : node, fault: "crash at a commit" };
  return { act, node, fault: inTurn(faultNames, seed) };
}

/** One more with each round, so that lists of any two lengths meet in all pairs. */
function inTurn<Item>(list: readonly Item[], seed: number): Item {
  const item = list[(seed + Math.floor(seed / list.length)) % list.length];
  if (item === undefined) throw new Error("nothing to deal");
  return item;
}

/** Neighbouring seeds have different ones; one in eight has none and leaves everything to chance. */
export function focusOf(seed: number, dice: Dice): Focus | null {
  const chosen = places[seed % places.length];
  // One more with each round, so that all of both meet.
  const disk = diskFaults[(seed + Math.floor(seed / places.length)) % diskFaults.length];
  if (chosen === undefined || disk === undefined || dice.chance(1 / 8)) return null;
  const often = chosen.situation === "rotation" && dice.chance(0.2);
  return { ...chosen, disk, skip: often ? dice.between(1, 2) : 0 };
}
