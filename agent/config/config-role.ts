import { readFileSync } from "node:fs";
import { isMap, parseDocument } from "yaml";
import type { z } from "zod";
import type { NodeRole } from "../data-folder/index.ts";
import { loadConfig } from "./config.ts";
import { ConfigError } from "./errors.ts";

/** The section that a configuration of each kind has and no other kind's. */
const sectionOf: Readonly<Record<NodeRole, string>> = { vault: "tunnel", gateway: "vault", edge: "gateway" };

/** `loadConfig` for a node of this kind. Throws CONFIG_OTHER_ROLE where `tidegate.yaml` is that of another kind, which none of them takes for its own; else as `loadConfig`. */
export function loadConfigOf<T>(path: string, schema: z.ZodType<T>, role: NodeRole): T {
  try {
    return loadConfig(path, schema);
  } catch (error) {
    requireRole(path, role);
    throw error;
  }
}

/** Whatever else is wrong with it is not judged. */
function requireRole(path: string, role: NodeRole): void {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return;
  }
  const { contents } = parseDocument(text, { logLevel: "silent" });
  if (!isMap(contents) || contents.has(sectionOf[role])) return;
  const other = (Object.keys(sectionOf) as NodeRole[]).find((each) => contents.has(sectionOf[each]));
  if (other === undefined) return;
  throw new ConfigError("CONFIG_OTHER_ROLE", `${path} is the configuration of ${article(other)}, not of ${article(role)}`, {
    hint: `Run it with 'tidegate ${other} run', or name the ${role}'s folder with --data DIR.`,
  });
}

function article(role: NodeRole): string {
  return role === "edge" ? "an edge" : `a ${role}`;
}
