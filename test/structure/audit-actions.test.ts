import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";
import { AUDIT_ACTIONS } from "../../protocol/audit/index.ts";

const root = resolve(import.meta.dirname, "../..");
const folders = ["protocol/rotation", "agent", "gateway", "edge", "vault"];
/** Tables about actions: what they name is not appended there. */
const tables = ["agent/event-format/", "agent/audit/event-class.ts"];

const name = String.raw`"([a-z][a-z0-9-]*\.[a-z][a-z0-9-]*)"`;
/** How the sources say what a leaf is about: as a member of the event, or to a function that makes or appends it. */
const ways = [
  new RegExp(`(?<!readonly )action: ${name}`, "g"),
  new RegExp(`(?<!readonly )action: [^"\\n]+ \\? ${name}`, "g"),
  new RegExp(`(?<!readonly )action: [^"\\n]+ \\? "[a-z.-]+" : ${name}`, "g"),
  new RegExp(`leaf: ${name}`, "g"),
  new RegExp(`(?:streamEvent|copyEvent|audit\\w*|#own|#event|event|carriageLeaves)\\((?:[^"()]|\\(\\))*${name}`, "g"),
];

function actionsIn(text: string): string[] {
  return ways.flatMap((way) => [...text.matchAll(way)].map(([, action = ""]) => action));
}

function appended(): Set<string> {
  const found = new Set<string>();
  for (const folder of folders) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      const file = `${folder}/${path}`;
      if (!path.endsWith(".ts") || tables.some((table) => file.startsWith(table))) continue;
      for (const action of actionsIn(readFileSync(join(root, file), "utf8"))) found.add(action);
    }
  }
  return found;
}

t.test("every action that a leaf can be about is appended somewhere, and every one that is appended is known", async (t) => {
  const found = appended();
  const known = Object.keys(AUDIT_ACTIONS);
  t.same(
    known.filter((action) => !found.has(action)),
    [],
    "actions that nothing appends",
  );
  t.same(
    [...found].filter((action) => !known.includes(action)),
    [],
    "actions that the table does not name",
  );
});

t.test("a name is not taken for an append where it only stands in a type or a comparison", async (t) => {
  t.same(actionsIn('action: held ? "device.hold" : "device.release",'), ["device.hold", "device.release"]);
  t.same(actionsIn('audit(context, tx, row, "credential.set")'), ["credential.set"]);
  for (const planted of ['readonly action: "zone.remove";', 'leaf.action === "zone.remove"', '| "zone.remove"'])
    t.same(actionsIn(planted), []);
});
