import {
  type CommandModule,
  creatingUnlock,
  dataPath,
  newDataFolder,
  openingUnlock,
  type UnlockOptions,
  withUnlock,
} from "../frame/index.ts";

interface JoinOptions extends UnlockOptions {
  readonly fromFile?: string;
  readonly fromStdin?: boolean;
  readonly vault?: string;
  readonly edges?: string;
  readonly api?: string;
  readonly apiTls?: string;
}

/** `tidegate gateway join | run`. */
export const gatewayCommand: CommandModule = (program, frame) => {
  const gateway = program
    .command("gateway")
    .description("the relay in the DMZ: dials the vault, keeps mailboxes, serves applications");
  withUnlock(gateway.command("join"))
    .description("join a vault with an enrolment code, taken from a file, standard input or a prompt")
    .option("--from-file <file>", "file with the enrolment code")
    .option("--from-stdin", "take the enrolment code from standard input")
    .option("--vault <host:port>", "where the vault is, in place of the address in the code")
    .option("--edges <host:port>", "listen for edges on this address")
    .option("--api <host:port>", "also serve the local API on this loopback address")
    .option("--api-tls <host:port>", "also serve the local API over TLS on this address or network interface")
    .action(async (options: JoinOptions) => {
      const { machineSeams } = await import("../../agent/seams/index.ts");
      const { joinGateway } = await import("../../gateway/index.ts");
      const seams = machineSeams();
      const code = await frame.secret({
        label: "enrolment code",
        fromFile: options.fromFile,
        fromStdin: options.fromStdin,
      });
      const folder = newDataFolder(frame, "gateway", options);
      const unlock = await creatingUnlock(frame, { ...options, folder, random: seams.random });
      try {
        const member = await joinGateway({
          folder,
          code: code.use((bytes) => Buffer.from(bytes).toString("utf8")),
          unlock,
          seams,
          vault: options.vault,
          edges: options.edges ?? null,
          api: options.api ?? null,
          apiTls: options.apiTls ?? null,
        });
        const joined = { name: member.name, zone: member.zone, data: folder.path };
        frame.output.result(joined, ({ name, zone, data }) => `joined as ${name} in zone ${zone}; data in ${data}`);
      } finally {
        code.wipe();
        if (unlock.kind === "passphrase") unlock.passphrase.wipe();
      }
    });
  withUnlock(gateway.command("run"))
    .description("run this gateway until it is stopped")
    .action(async (options: UnlockOptions) => {
      const { openDataFolder } = await import("../../agent/data-folder/index.ts");
      const { loadConfig } = await import("../../agent/config/index.ts");
      const { machineSeams } = await import("../../agent/seams/index.ts");
      const { gatewayConfigSchema, start } = await import("../../gateway/index.ts");
      const folder = openDataFolder(dataPath(frame, "gateway", options));
      const config = loadConfig(folder.config, gatewayConfigSchema);
      const unlock = await openingUnlock(frame, folder, options);
      const stopped = frame.untilStopped();
      const running = await start({ folder, config, version: program.version() ?? "0" }, machineSeams(), unlock);
      if (unlock.kind === "passphrase") unlock.passphrase.wipe();
      frame.output.say(`gateway runs; data in ${folder.path}`);
      const reason = await stopped;
      frame.output.say(`stopping (${reason})`);
      await running.close();
    });
};
