import { existsSync } from "node:fs";
import { type DataFolder, dataFolderAt, type NodeRole } from "../../agent/data-folder/index.ts";
import { type Finding, failure } from "./finding.ts";
import { folderChecks } from "./folder-checks.ts";
import { machineChecks } from "./machine-checks.ts";
import type { MachineFacts } from "./machine-facts.ts";
import { configCheck, describeFolder, lifeChecks } from "./node-checks.ts";
import { reachChecks } from "./reach-checks.ts";

/** A folder, or the machine itself, and what was found there. */
export interface Examined {
  readonly folder: string | null;
  readonly role: NodeRole | null;
  readonly findings: readonly Finding[];
}

/** Examines the machine and each of these folders; nothing is changed, and no key is asked for. */
export async function examine(paths: readonly string[], facts: MachineFacts): Promise<Examined[]> {
  const nodes = await Promise.all(paths.map((path) => examineFolder(path, facts)));
  const pid = paths.map((path) => describeFolder(dataFolderAt(path))?.pid ?? null).find((each) => each !== null) ?? null;
  return [{ folder: null, role: null, findings: machineChecks(facts, pid) }, ...nodes];
}

async function examineFolder(path: string, facts: MachineFacts): Promise<Examined> {
  if (!existsSync(path)) {
    const hint =
      "Set a node up with 'tidegate vault init' or 'tidegate gateway|edge join', or name its folder with --data DIR.";
    return { folder: path, role: null, findings: [failure("folder", `there is no node in ${path}`, hint)] };
  }
  const folder = dataFolderAt(path);
  const node = describeFolder(folder);
  return {
    folder: path,
    role: node?.role ?? null,
    findings: [...folderChecks(path, facts), ...(await nodeChecks(folder, node, facts))],
  };
}

async function nodeChecks(
  folder: DataFolder,
  node: ReturnType<typeof describeFolder>,
  facts: MachineFacts,
): Promise<Finding[]> {
  if (node === null) {
    return [failure("configuration", `${folder.config} cannot be read`, "Restore it from the backup, or join again.")];
  }
  const reach = node.upstream === null ? [] : await reachChecks(folder, node.upstream, facts);
  return [await configCheck(folder, node.role), ...(await lifeChecks(folder, node.pid)), ...reach];
}
