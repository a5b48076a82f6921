import { DeviceWorld, keyOf, type Options, type World } from "./device-world.ts";

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

interface Node {
  readonly world: World;
  readonly parent: number;
  readonly by: string;
}

/** Walks every world that is reachable, breadth first, and stops at the first broken invariant. */
export function explore(options: Options): Exploration {
  const model = new DeviceWorld(options);
  const nodes: Node[] = [{ world: model.start(), parent: -1, by: "start" }];
  const known = new Map<string, number>([[keyOf(model.start()), 0]]);
  const back: number[][] = [[]];
  const phases = new Set<string>();
  let transitions = 0;
  for (let at = 0; at < nodes.length; at += 1) {
    const node = nodes[at] as Node;
    phases.add(node.world.edge.phase);
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
      const key = keyOf(move.to);
      let to = known.get(key);
      if (to === undefined) {
        if (nodes.length >= (options.maxStates ?? 400_000))
          return { states: nodes.length, transitions, phases, steps: model.taken, complete: false, finding: null };
        to = nodes.length;
        known.set(key, to);
        nodes.push({ world: move.to, parent: at, by: move.name });
        back.push([]);
      }
      back[to]?.push(at);
    }
  }
  return { states: nodes.length, transitions, phases, steps: model.taken, complete: true, finding: stuckIn(nodes, back) };
}

/** The first world from which no way leads to a settled one, or null. */
function stuckIn(nodes: readonly Node[], back: readonly number[][]): Finding | null {
  const free = new Uint8Array(nodes.length);
  const queue: number[] = [];
  for (const [at, { world }] of nodes.entries()) {
    const calm =
      (world.edge.phase === "IDLE" || world.edge.phase === "VERIFIED") &&
      world.edge.pending === null &&
      world.edge.current === world.live;
    if (!calm) continue;
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

function traceTo(nodes: readonly Node[], at: number): string[] {
  const trace: string[] = [];
  for (let here = at; here > 0; here = nodes[here]?.parent ?? 0) trace.unshift(nodes[here]?.by ?? "");
  return trace;
}
