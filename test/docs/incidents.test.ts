import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const document = readFileSync(join(root, "docs/incidents.md"), "utf8");

/** The incidents that this version answers for. */
const kept = [1, 2, 3, 4, 5, 8, 9, 10, 11, 12, 13, 14, 16, 18, 19, 21, 22, 23];

interface Proof {
  readonly incident: number;
  readonly file: string;
  readonly title: string;
}

/** Every test that a text names, below the number of its incident. */
function proofs(text: string): Proof[] {
  return text.split(/^### /m).flatMap((section) => {
    const incident = Number.parseInt(section, 10);
    return [...section.matchAll(/^- `(test\/[^`]+)`: (.+)$/gm)].map(([, file = "", title = ""]) => ({ incident, file, title }));
  });
}

/** Those that do not exist: the title must stand in its file as a text of its own. */
function missing(named: readonly Proof[]): Proof[] {
  return named.filter(({ file, title }) => {
    const path = join(root, file);
    if (!existsSync(path)) return true;
    const source = readFileSync(path, "utf8");
    return !['"', "`"].some((quote) => source.includes(`${quote}${title}${quote}`));
  });
}

t.test("every incident has its number, and every test that is named for it exists", async (t) => {
  const named = proofs(document);
  t.same([...new Set(named.map(({ incident }) => incident))], kept);
  t.same(missing(named), []);
});

t.test("planted: a test that was renamed, or whose file is gone, is missed", async (t) => {
  const [first] = proofs(document);
  if (first === undefined) throw new Error("no test is named");
  t.equal(missing([{ ...first, title: first.title.slice(1) }]).length, 1);
  t.equal(missing([{ ...first, file: "test/gone.test.ts" }]).length, 1);
});
