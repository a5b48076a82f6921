import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { z } from "zod";
import { createConfig, loadConfig, parseConfig } from "../../agent/config/index.ts";

const schema = z.strictObject({
  name: z.string().max(10),
  port: z.number().int().min(0).max(65_535),
  mode: z.enum(["direct", "proxy"]).optional(),
  peers: z.array(z.strictObject({ address: z.string() })).optional(),
});

interface Told {
  code: string;
  problems: { path: string; line: number | null; found: string; expected: string }[];
}

function problemsOf(text: string): Told["problems"] {
  try {
    parseConfig(text, schema, "tidegate.yaml");
  } catch (error) {
    t.equal((error as Told).code, "CONFIG_INVALID");
    return (error as Told).problems;
  }
  throw new Error("accepted");
}

t.test("all problems are told at once, each with key, line, what was found and what is allowed", async (t) => {
  const text = [
    "# comment",
    "name: 12",
    "port: 70000",
    "mode: tunnel",
    "peers:",
    "  - address: a",
    "  - adress: b",
    "extra: 1",
  ].join("\n");
  t.same(problemsOf(text), [
    { path: "name", line: 2, found: "integer 12", expected: "text" },
    { path: "port", line: 3, found: "integer 70000", expected: "at most 65535" },
    { path: "mode", line: 4, found: "text of 6", expected: "one of direct, proxy" },
    { path: "peers[1].address", line: 7, found: "nothing", expected: "text" },
    { path: "peers[1].adress", line: 7, found: "unknown key", expected: "no such key" },
    { path: "extra", line: 8, found: "unknown key", expected: "no such key" },
  ]);
});

t.test("what is no configuration at all is told with its line", async (t) => {
  const cases: [text: string, line: number | null, path: string][] = [
    ["name: a\nname: b\nport: 1", 2, ""],
    ["name: [unclosed\nport: 1", 2, ""],
    ["", 1, ""],
    ["- a list", 1, ""],
    ["name: &x a\nport: *x", null, ""],
    [`name: ${"x".repeat(256 * 1024)}`, null, ""],
  ];
  for (const [text, line, path] of cases) {
    const [first] = problemsOf(text);
    t.match(first, { line, path }, text.slice(0, 20));
  }
});

t.test("a fresh configuration is readable, the owner's alone, never overwritten, and loads", async (t) => {
  const path = join(t.testdir(), "tidegate.yaml");
  const entries = [
    { key: "name", value: "gw-1", comment: "The node's name.\nTwo lines." },
    { key: "port", value: 7446, comment: "" },
  ];
  createConfig(path, entries);
  t.equal(readFileSync(path, "utf8"), "# The node's name.\n# Two lines.\nname: gw-1\n\nport: 7446\n");
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(loadConfig(path, schema), { name: "gw-1", port: 7446 });
  t.throws(() => createConfig(path, entries), { code: "CONFIG_EXISTS" });
  t.throws(() => loadConfig(`${path}.missing`, schema), { code: "CONFIG_MISSING" });
});
