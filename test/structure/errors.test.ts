import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import t from "tap";

const root = resolve(import.meta.dirname, "../..");
const folders = ["protocol", "firmware-adapters", "agent", "gateway", "edge", "vault", "cli"];

interface Table {
  readonly file: string;
  readonly name: string;
  readonly codes: Readonly<Record<string, { fault: string; retryable: boolean }>>;
}

/** Every exported `<CONCERN>_CODES` table of the product. */
async function tables(): Promise<Table[]> {
  const found: Table[] = [];
  for (const folder of folders) {
    for (const path of readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      const file = join(root, folder, path);
      for (const [, name = ""] of readFileSync(file, "utf8").matchAll(/^export const (\w+_CODES)\b/gm)) {
        const module = (await import(file)) as Record<string, Table["codes"]>;
        const codes = module[name] ?? {};
        // The findings of the audit verifier are a list: they are answers, not errors, and documented all the same.
        const listed = Array.isArray(codes)
          ? Object.fromEntries(codes.map((code: string) => [code, { fault: "peer", retryable: false }]))
          : codes;
        found.push({ file: join(folder, path), name, codes: listed });
      }
    }
  }
  return found;
}

const documented = [...readFileSync(join(root, "ERRORS.md"), "utf8").matchAll(/^### ([A-Z][A-Z0-9_-]+)$/gm)].map(
  (m) => m[1] ?? "",
);

t.test("every error code has a heading in ERRORS.md, and every heading a code", async (t) => {
  const codes = (await tables()).flatMap((table) => Object.keys(table.codes));
  t.ok(codes.length > 10, "codes were found");
  t.same([...new Set(codes)].filter((code) => !documented.includes(code)).sort(), [], "codes without a heading");
  t.same(documented.filter((code) => !codes.includes(code)).sort(), [], "headings without a code");
});

t.test("a code stands in one table only, and a heading once", async (t) => {
  const seen = new Map<string, string>();
  for (const { file, codes } of await tables()) {
    for (const code of Object.keys(codes)) {
      t.notOk(seen.has(code), `${code} in ${file} and ${seen.get(code)}`);
      seen.set(code, file);
    }
  }
  t.equal(new Set(documented).size, documented.length);
});

t.test("every fault is one of the four", async (t) => {
  for (const { codes } of await tables()) {
    for (const [code, { fault }] of Object.entries(codes))
      t.ok(["peer", "operator", "caller", "environment"].includes(fault), code);
  }
});

t.test("ERRORS.md says of each code whose fault it is and whether a retry may help, as its table does", async (t) => {
  const text = readFileSync(join(root, "ERRORS.md"), "utf8");
  for (const { name, codes } of await tables()) {
    if (name === "FINDING_CODES") continue;
    for (const [code, { fault, retryable }] of Object.entries(codes)) {
      const said = `### ${code}\nFault: ${fault}; ${retryable ? "may work later" : "not retryable"}. `;
      t.ok(text.includes(said), `${code}: ${fault}, ${retryable}`);
    }
  }
});
