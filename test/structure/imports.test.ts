import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const topFolders = ["protocol", "firmware-adapters", "agent", "gateway", "edge", "vault", "cli"] as const;
type TopFolder = (typeof topFolders)[number];

/** Who may import whom; ARCHITECTURE.md draws the same. */
const mayImport: Readonly<Record<TopFolder, readonly TopFolder[]>> = {
  protocol: [],
  "firmware-adapters": [],
  agent: ["protocol"],
  gateway: ["protocol", "agent"],
  edge: ["protocol", "agent", "firmware-adapters"],
  vault: ["protocol", "agent"],
  cli: ["protocol", "agent", "gateway", "edge", "vault", "firmware-adapters"],
};

/** The only built-in modules that pure code may use. */
const pureBuiltIns = ["node:crypto", "node:util"];

interface Import {
  readonly from: string;
  readonly to: string;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => join(folder, path));
}

/** Each `import`, `export … from` and literal `import()` of a file; local ones as paths from the root. */
export function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gm);
  return [...found].map((match) => {
    const to = match[1] ?? match[2] ?? match[3] ?? "";
    return { from: file, to: to.startsWith(".") ? relative(root, resolve(root, dirname(file), to)) : to };
  });
}

/** What is wrong with one import, or null. */
export function problemOf({ from, to }: Import): string | null {
  const [top, sub] = from.split("/") as [TopFolder, string];
  if (to.startsWith("node:")) {
    return top === "protocol" && !pureBuiltIns.includes(to) ? `${from} imports ${to}, but protocol is pure` : null;
  }
  const [target, targetSub, ...rest] = to.split("/") as [TopFolder, string | undefined, ...string[]];
  if (!topFolders.includes(target)) return to.startsWith("test/") ? `${from} imports the tests` : null;
  if (target !== top && !mayImport[top].includes(target)) return `${from} may not import ${target}`;
  if (target === top && (sub === targetSub || targetSub === undefined || rest.length === 0)) return null;
  const door = targetSub === "index.ts" || targetSub === "main.ts" || (rest.length === 1 && rest[0] === "index.ts");
  return door ? null : `${from} imports ${to}, which is not a door`;
}

/** The folders of one cycle among the given edges, or null. */
export function cycleIn(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const done = new Set<string>();
  const visit = (node: string, path: string[]): string[] | null => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return null;
    for (const next of edges.get(node) ?? []) {
      const cycle = visit(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return null;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return null;
}

const all = topFolders.flatMap(sources).flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")));

t.test("no file imports past a wall or around a door", async (t) => {
  t.ok(all.length > 20, "imports were found");
  t.same(all.map(problemOf).filter(Boolean), []);
});

t.test("the files import one another without a cycle", async (t) => {
  const edges = new Map<string, Set<string>>();
  for (const { from, to } of all) if (to.endsWith(".ts")) edges.set(from, (edges.get(from) ?? new Set()).add(to));
  t.equal(cycleIn(edges), null);
});

t.test("a planted wall breach, a bypassed door and a cycle are caught", async (t) => {
  t.match(problemOf({ from: "gateway/main.ts", to: "edge/index.ts" }), "may not import");
  t.match(problemOf({ from: "protocol/base/bytes.ts", to: "node:fs" }), "pure");
  t.match(problemOf({ from: "edge/main.ts", to: "agent/store/sqlite-store.ts" }), "not a door");
  t.equal(problemOf({ from: "edge/main.ts", to: "agent/store/index.ts" }), null);
  t.equal(importsOf("a/b.ts", 'const x = await import("../c/index.ts");')[0]?.to, "c/index.ts");
  t.same(
    cycleIn(
      new Map([
        ["a", new Set(["b"])],
        ["b", new Set(["a"])],
      ]),
    ),
    ["a", "b", "a"],
  );
});
