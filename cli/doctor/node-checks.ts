import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { callAdmin } from "../../agent/admin/index.ts";
import { type DataFolder, type NodeRole, readRunFile } from "../../agent/data-folder/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import { type Finding, failure, good, warning } from "./finding.ts";
import type { Upstream } from "./reach-checks.ts";

/** What is read of any node's configuration to tell where it dials; its own schema judges the rest. */
const shape = z.object({
  vault: z.object({ address: z.string() }).nullish(),
  gateway: z.object({ address: z.string() }).nullish(),
  tunnel: z.unknown().optional(),
  proxy: z.object({ address: z.string().nullish() }).nullish(),
});

/** A node's folder as its files describe it. */
export interface NodeFolder {
  readonly role: NodeRole;
  /** Null where it dials nobody. */
  readonly upstream: Upstream | null;
  /** Process of a node that runs, or null. */
  readonly pid: number | null;
}

/** Which kind of node lies there; null where the configuration does not tell. */
export function describeFolder(folder: DataFolder): NodeFolder | null {
  let read: z.infer<typeof shape>;
  try {
    read = shape.parse(parse(readFileSync(folder.config, "utf8"), { maxAliasCount: 0 }));
  } catch {
    return null;
  }
  const role = read.tunnel !== undefined ? "vault" : read.gateway !== undefined ? "edge" : "gateway";
  const address = (role === "edge" ? read.gateway : read.vault)?.address ?? null;
  return { role, upstream: address === null ? null : { address, proxy: read.proxy?.address ?? null }, pid: pidOf(folder) };
}

/** The configuration as the node itself would take it. */
export async function configCheck(folder: DataFolder, role: NodeRole): Promise<Finding> {
  const { loadConfig } = await import("../../agent/config/index.ts");
  const schemas = {
    vault: async () => (await import("../../vault/index.ts")).vaultConfigSchema,
    gateway: async () => (await import("../../gateway/index.ts")).gatewayConfigSchema,
    edge: async () => (await import("../../edge/index.ts")).edgeConfigSchema,
  };
  try {
    loadConfig<unknown>(folder.config, await schemas[role]());
    return good("configuration", `${folder.config} is that of ${role === "edge" ? "an" : "a"} ${role}`);
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    return failure("configuration", error.message, "Correct the line that is named; the node does not start before.");
  }
}

/** Whether the node runs, and how it is by its own word. */
export async function lifeChecks(folder: DataFolder, pid: number | null): Promise<Finding[]> {
  if (pid === null) return [warning("process", "the node does not run", "Start it with 'tidegate vault|gateway|edge run'.")];
  try {
    const status = (await callAdmin(folder.path, { method: "GET", path: "/v1/status" })) as StatusAnswer;
    return [good("process", `the node runs, process ${pid}`), ...healthChecks(status), ...forwardChecks(status)];
  } catch (error) {
    if (!(error instanceof TidegateError)) throw error;
    const hint = "It was killed, or hangs: look at its log. run.json of a killed node goes with its next start.";
    return [failure("process", `run.json names process ${pid}, but nobody answers on admin.sock (${error.code})`, hint)];
  }
}

interface StatusAnswer {
  /** A vault's: "ok", or the code that stopped its writer. */
  readonly store?: string;
  readonly unsettled?: number;
  readonly forward?: readonly {
    readonly name: string;
    readonly behind: number;
    readonly missed: number;
    readonly lastCode: string | null;
    readonly lastHint: string | null;
  }[];
  readonly health?: { readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[] };
}

function healthChecks({ store, health, unsettled = 0 }: StatusAnswer): Finding[] {
  const findings = (health?.checks ?? []).map(({ name, ok, detail }) =>
    ok ? good(`health: ${name}`, detail) : failure(`health: ${name}`, detail, "See 'What to watch' in docs/operations.md."),
  );
  if (store !== undefined && store !== "ok")
    findings.push(failure("health: store", store, "Free space or repair the disk, then restart the vault."));
  if (unsettled > 0)
    findings.push(
      warning(
        "health: unsettled",
        `${unsettled} accounts wait for their edges`,
        "tidegate vault recover-escrow, once the edges have connected.",
      ),
    );
  return findings;
}

/** A collector that gets nothing hurts nobody but who watches it. */
function forwardChecks({ forward = [] }: StatusAnswer): Finding[] {
  return forward.map(({ name, behind, missed, lastCode, lastHint }) => {
    const check = `forward: ${name}`;
    if (lastCode !== null) {
      return warning(check, `${behind} events behind (${lastCode})`, lastHint ?? "See its code in ERRORS.md.");
    }
    if (missed > 0) {
      const hint = "The leaf forward.gap says which; take them from the archive, or from 'tidegate audit tail'.";
      return warning(check, `${missed} events never reach the collector`, hint);
    }
    return good(check, `${behind} events behind`);
  });
}

function pidOf(folder: DataFolder): number | null {
  try {
    return readRunFile(folder)?.pid ?? null;
  } catch (error) {
    if (error instanceof TidegateError) return null;
    throw error;
  }
}
