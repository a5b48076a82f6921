import type { AccountStatus } from "../../edge/index.ts";
import {
  type CommandModule,
  creatingUnlock,
  dataPath,
  newDataFolder,
  openingUnlock,
  type UnlockOptions,
  withData,
  withUnlock,
} from "../frame/index.ts";

interface JoinOptions extends UnlockOptions {
  readonly fromFile?: string;
  readonly fromStdin?: boolean;
  readonly gateway?: string;
  readonly api?: string;
}

/** `tidegate edge join | run`. */
export const edgeCommand: CommandModule = (program, frame) => {
  const edge = program.command("edge").description("the node on a segment that keeps credentials and changes device passwords");
  withUnlock(edge.command("join"))
    .description("join a vault with an enrolment code, taken from a file, standard input or a prompt")
    .option("--from-file <file>", "file with the enrolment code")
    .option("--from-stdin", "take the enrolment code from standard input")
    .option("--gateway <host:port>", "where the gateway is, in place of the address in the code")
    .option("--api <host:port>", "also serve the local API on this loopback address")
    .action(async (options: JoinOptions) => {
      const { machineSeams } = await import("../../agent/seams/index.ts");
      const { joinEdge } = await import("../../edge/index.ts");
      const seams = machineSeams();
      const code = await frame.secret({
        label: "enrolment code",
        fromFile: options.fromFile,
        fromStdin: options.fromStdin,
      });
      const folder = newDataFolder(frame, "edge", options);
      const unlock = await creatingUnlock(frame, { ...options, folder, random: seams.random });
      try {
        const member = await joinEdge({
          folder,
          code: code.use((bytes) => Buffer.from(bytes).toString("utf8")),
          unlock,
          seams,
          gateway: options.gateway,
          api: options.api ?? null,
        });
        const joined = { name: member.name, zone: member.zone, data: folder.path };
        frame.output.result(joined, ({ name, zone, data }) => `joined as ${name} in zone ${zone}; data in ${data}`);
      } finally {
        code.wipe();
        if (unlock.kind === "passphrase") unlock.passphrase.wipe();
      }
    });
  withUnlock(edge.command("run"))
    .description("run this edge until it is stopped")
    .action(async (options: UnlockOptions) => {
      const { setFlagsFromString } = await import("node:v8");
      // Edges run on small machines: left alone, the young generation grows to 30 MB while the code is loaded and stays there.
      setFlagsFromString("--semi-space-growth-factor=1");
      const { openDataFolder } = await import("../../agent/data-folder/index.ts");
      const { loadConfig } = await import("../../agent/config/index.ts");
      const { machineSeams } = await import("../../agent/seams/index.ts");
      const { edgeConfigSchema, start } = await import("../../edge/index.ts");
      const folder = openDataFolder(dataPath(frame, "edge", options));
      const config = loadConfig(folder.config, edgeConfigSchema);
      const unlock = await openingUnlock(frame, folder, options);
      const stopped = frame.untilStopped();
      const running = await start({ folder, config, version: program.version() ?? "0" }, machineSeams(), unlock);
      if (unlock.kind === "passphrase") unlock.passphrase.wipe();
      frame.output.say(`edge runs; data in ${folder.path}`);
      const reason = await stopped;
      frame.output.say(`stopping (${reason})`);
      await running.close();
    });
  for (const [action, summary] of Object.entries(wishes)) {
    withData(edge.command(`${action} <path>`))
      .description(summary)
      .action(async (path: string, options: { data?: string }) => {
        const { callAdmin } = await import("../../agent/admin/index.ts");
        const call = { method: "POST", path: `/v1/rotations/${action}`, body: { path } } as const;
        const account = (await callAdmin(dataPath(frame, "edge", options), call)) as AccountStatus;
        frame.output.result(account, ({ state, version }) => `${path}: ${action} is under way; ${state}, version ${version}`);
      });
  }
};

/** What an operator on the segment may ask of one account, with the vault in reach or not. */
const wishes = {
  verify: "check, read-only, that the password of zone/device/account works",
  rotate: "change the password of zone/device/account now, from the pool",
  retry: "try again what waits after a failure",
  release: "release an account from quarantine or UNKNOWN after it was looked at",
} as const;
