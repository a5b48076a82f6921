import { DeviceWorld, keyOf, type Options, type World } from "./device-world.ts";

/** What can be explored: worlds, and the moves from each to others. */
export interface Model<W> {
  start(): W;
  moves(world: W): readonly { readonly name: string; readonly to: W; readonly problem?: string | undefined }[];
  /** What is broken in a world, or undefined. */
  judge(world: W): string | undefined;
  /** Equal for equal worlds. */
  keyOf(world: W): string;
  /** Settled: from everywhere such a world must be within reach. */
  isCalm(world: W): boolean;
  /** What the rotation machine went through: the phase, for the table of those that were reached. */
  phaseOf(world: W): string;
  readonly taken: ReadonlySet<string>;
}

export interface Finding {
  readonly problem: string;
  /** The shortest way there. */
  readonly trace: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  readonly finding: Finding | null;
  /** Phases that were reached. */
  readonly phases: ReadonlySet<string>;
  /** Phase and event of every step, as `PHASE event`; an answer's event is its outcome. */
  readonly steps: ReadonlySet<string>;
  readonly complete: boolean;
}

interface Node<W> {
  readonly world: W;
  readonly parent: number;
  readonly by: string;
}

const usualMost = 400_000;

/** Walks every world of one edge and its device. */
export function explore(options: Options): Exploration {
  const model = new DeviceWorld(options);
  return exploreModel<World>(
    {
      start: () => model.start(),
      moves: (world) => model.moves(world),
      judge: (world) => model.judge(world),
      keyOf,
      isCalm: isSettled,
      phaseOf: ({ edge }) => edge.phase,
      taken: model.taken,
    },
    options.maxStates,
  );
}

/** Walks every world that is reachable, breadth first, and stops at the first broken invariant. */
export function exploreModel<W>(model: Model<W>, maxStates = usualMost): Exploration {
  const nodes: Node<W>[] = [{ world: model.start(), parent: -1, by: "start" }];
  const known = new Map<string, number>([[model.keyOf(model.start()), 0]]);
  const back: number[][] = [[]];
  const phases = new Set<string>();
  let transitions = 0;
  for (let at = 0; at < nodes.length; at += 1) {
    const node = nodes[at] as Node<W>;
    phases.add(model.phaseOf(node.world));
    for (const move of model.moves(node.world)) {
      transitions += 1;
      const problem = move.problem ?? model.judge(move.to);
      if (problem !== undefined) {
        return {
          states: nodes.length,
          transitions,
          phases,
          steps: model.taken,
          complete: false,
          finding: { problem, trace: [...traceTo(nodes, at), move.name] },
        };
      }
      const key = model.keyOf(move.to);
      let to = known.get(key);
      if (to === undefined) {
        if (nodes.length >= maxStates)
          return { states: nodes.length, transitions, phases, steps: model.taken, complete: false, finding: null };
        to = nodes.length;
        known.set(key, to);
        nodes.push({ world: move.to, parent: at, by: move.name });
        back.push([]);
      }
      back[to]?.push(at);
    }
  }
  return {
    states: nodes.length,
    transitions,
    phases,
    steps: model.taken,
    complete: true,
    finding: stuckIn(model, nodes, back),
  };
}

/** True where nothing is under way and the edge's current value is the live one. */
export function isSettled({ edge, live }: World): boolean {
  return (edge.phase === "IDLE" || edge.phase === "VERIFIED") && edge.pending === null && edge.current === live;
}

/** The first world from which no way leads to a settled one, or null. */
function stuckIn<W>(model: Model<W>, nodes: readonly Node<W>[], back: readonly number[][]): Finding | null {
  const free = new Uint8Array(nodes.length);
  const queue: number[] = [];
  for (const [at, { world }] of nodes.entries()) {
    if (!model.isCalm(world)) continue;
    free[at] = 1;
    queue.push(at);
  }
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const from of back[at] ?? []) {
      if (free[from] === 1) continue;
      free[from] = 1;
      queue.push(from);
    }
  }
  const stuck = free.indexOf(0);
  return stuck < 0 ? null : { problem: "stuck", trace: traceTo(nodes, stuck) };
}

function traceTo<W>(nodes: readonly Node<W>[], at: number): string[] {
  const trace: string[] = [];
  for (let here = at; here > 0; here = nodes[here]?.parent ?? 0) trace.unshift(nodes[here]?.by ?? "");
  return trace;
}
