import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { auditCopyRoutes, type ExportSource } from "../../agent/custody/index.ts";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { auditCommand } from "../../cli/commands/audit.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { createProgram } from "../../cli/program.ts";
import { checkpointText, cosign, originOf, witnessKeyName } from "../../protocol/audit/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { fill, member, node, openRig } from "../agent/audit/rig.ts";
import { sampleSigner } from "../protocol/sample-vault.ts";
import { MemoryStore } from "../support/memory-store.ts";
import { shortFolder } from "../support/short-folder.ts";

/** Runs the command line in this process. */
export async function run(words: string[]) {
  const told = { stdout: "", stderr: "", exit: 0, bars: 0 };
  const write = (stream: "stdout" | "stderr") => ({ write: (text: string) => (told[stream] += text) });
  const frame: Frame = {
    output: createOutput(words.includes("--json"), { stdout: write("stdout"), stderr: write("stderr") }),
    environment: { home: "/nowhere" },
    isTerminal: false,
    colours: false,
    secret: () => Promise.reject(new Error("no secret is needed")),
    progress: () => ({ update: () => (told.bars += 1), end: () => {} }),
    exit: (code) => (told.exit = code),
    untilStopped: () => new Promise(() => {}),
  };
  await createProgram(frame, [auditCommand], "0.0.0").parseAsync(["node", "tidegate", ...words]);
  return told;
}

/** What a node with this log hands out for a copy of it. */
export function exportSource(
  { log }: Pick<ReturnType<typeof openRig>, "log">,
  store: MemoryStore,
  cosigned: ReturnType<ExportSource["cosigned"]> = [],
): ExportSource {
  return {
    name: log.name,
    size: () => log.head().size,
    files: () => log.files(),
    time: () => log.time(),
    about: () => ({ nodeName: member.name, role: "edge", vaultId: toHex(member.vaultId) }),
    seal: (events) => log.sealEpoch(events),
    anchor: () => log.acknowledged(),
    proof: (from, size) => log.proofBetween(from, size),
    cosigned: () => cosigned,
    archive: log.archive,
    append: (event) => store.transaction((tx) => void log.append(tx, event)),
  };
}

/** A node whose log is exported over its admin socket. */
export async function nodeWith(t: Test, entries: number) {
  const folder = createDataFolder(shortFolder(t));
  const store = new MemoryStore();
  const rig = openRig({ store, folder: folder.path });
  const { log } = rig;
  fill(store, log, entries - 1);
  await rig.mirror?.settled();
  const name = witnessKeyName(log.name.trustDomain, node);
  const cosigned = cosign(checkpointText(originOf(log.name), log.head()), 1_795_000_000, { name, key: sampleSigner(45) });
  const source = exportSource(rig, store, [{ name: node, note: cosigned }]);
  const admin = await createAdminServer({
    socketPath: folder.adminSocket,
    routes: auditCopyRoutes(source, (length) => new Uint8Array(length).fill(7)),
    log: { error() {}, warn() {}, info() {}, debug() {} } as never,
  });
  t.teardown(() => admin.close());
  const mount = join(folder.path, "stick");
  mkdirSync(mount);
  const exported = async (...options: string[]) => {
    const told = await run(["audit", "export", mount, "--data", folder.path, ...options, "--json"]);
    return JSON.parse(told.stdout) as { folder: string; from: number; size: number; checkpoint: string };
  };
  return { ...rig, store, data: folder.path, mount, exported };
}
