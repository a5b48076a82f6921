import { join } from "node:path";
import type { Command } from "commander";
import { callAdmin } from "../../agent/admin/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { addRun } from "../add-run.ts";
import {
  CliError,
  type CommandModule,
  creatingUnlock,
  dataPath,
  type Frame,
  openingUnlock,
  type UnlockOptions,
  withData,
  withUnlock,
  writeSecretFile,
} from "../frame/index.ts";
import { addBackup } from "./vault-backup.ts";

interface InitOptions extends UnlockOptions {
  readonly listen: string;
  readonly advertise?: string;
  readonly trustDomain: string;
}

interface EnrollOptions {
  readonly data?: string;
  readonly role: string;
  readonly zone: string;
  readonly via?: string;
  readonly address?: string;
  readonly media?: boolean;
  readonly host: readonly string[];
  readonly out?: string;
  readonly qr?: boolean;
  readonly qrPng?: string;
}

/** `tidegate vault init | run | enroll | raise-epoch | recover-escrow | backup | restore`. */
export const vaultCommand: CommandModule = (program, frame) => {
  const vault = program.command("vault").description("the authority: makes, runs and enrols");
  withUnlock(vault.command("init"))
    .description("make a vault: keys, root document, certificate authority and store")
    .option("--listen <address>", "where gateways dial in, host:port", "0.0.0.0:7443")
    .option("--advertise <address>", "what enrolment codes name, where that is another address")
    .option("--trust-domain <name>", "names this vault's audit logs", "tidegate.internal")
    .action((options: InitOptions) => init(program, frame, options));
  addRun(vault, frame, "vault", async (input) => (await import("../run-vault.ts")).runVault(input));
  withData(vault.command("enroll <name>"))
    .description(
      "give out an enrolment code, good for one hour (30 days with --media) and one node; an enrolled name is replaced",
    )
    .requiredOption("--role <role>", "gateway or edge", enrolledRole)
    .requiredOption("--zone <zone>", "the zone that the node stands in")
    .option("--via <gateway>", "the gateway that an edge goes through")
    .option("--address <address>", "where the new node dials, host:port")
    .option("--media", "the request goes by removable media: the code is good for 30 days")
    .option("--host <name>", "a name or address for the node's certificate; may be given more than once", collect, [])
    .option("--out <file>", "write the code to this file (0600) instead of printing it")
    .option("--qr", "also show the code as a QR code")
    .option("--qr-png <file>", "also write the code as a QR code into this PNG file (0600)")
    .action((name: string, options: EnrollOptions) => enroll(frame, name, options));
  withUnlock(vault.command("raise-epoch"))
    .description("after a restore: sign a root that voids what was issued since the backup; needs the root's key")
    .option("--root-key <file>", "the sealed root key; keys/root.sealed of the vault unless given")
    .option("--keep-tokens", "application tokens stay good: none was taken back since the backup")
    .action(async (options: UnlockOptions & { rootKey?: string; keepTokens?: boolean }) => {
      const { raiseEpoch } = await import("../recover/index.ts");
      await withKey(frame, options, { given: options.rootKey, usual: "root.sealed" }, (folder, key) =>
        raiseEpoch(frame, folder, key, options.keepTokens),
      );
    });
  withUnlock(vault.command("recover-escrow"))
    .description("after a restore: learn what the edges hold, from their escrows; needs the recovery key")
    .option("--recovery-key <file>", "the sealed recovery key; keys/recovery.sealed of the vault unless given")
    .option("--give-up <zone>", "wait no longer for the escrow of this zone: its edge is gone for ever")
    .action(async (options: UnlockOptions & { recoveryKey?: string; giveUp?: string }) => {
      const { giveUpZone, recoverEscrow } = await import("../recover/index.ts");
      if (options.giveUp === undefined) {
        const file = { given: options.recoveryKey, usual: "recovery.sealed" };
        return withKey(frame, options, file, (folder, key) => recoverEscrow(frame, folder, key));
      }
      await giveUpZone(frame, dataPath(frame, "vault", options), options.giveUp);
    });
  addBackup(program, vault, frame);
};

/** Opens a key that was carried away: the file that was given, seen from here, or the usual one of the vault. Does with it what it is for. */
async function withKey(
  frame: Frame,
  options: UnlockOptions,
  file: { readonly given: string | undefined; readonly usual: string },
  work: (folder: string, key: Secret) => Promise<void>,
): Promise<void> {
  const { openDataFolder } = await import("../../agent/data-folder/index.ts");
  const { openKeyFile } = await import("../root/index.ts");
  const folder = openDataFolder(dataPath(frame, "vault", options));
  const unlock = await openingUnlock(frame, folder, options);
  await work(folder.path, await openKeyFile(frame, file.given ?? join(folder.keys, file.usual), unlock));
}

async function init(program: Command, frame: Frame, options: InitOptions): Promise<void> {
  const { initVault } = await import("../../vault/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const seams = machineSeams();
  const path = dataPath(frame, "vault", options);
  let said: string | null = null;
  const made = await initVault({
    path,
    unlock: async (folder) => {
      const { unlock, note } = await creatingUnlock(frame, { ...options, folder, random: seams.random });
      // The folder is still beside its place here: what is said of it names the place where it will be.
      said = note?.replaceAll(folder.path, path) ?? null;
      return unlock;
    },
    trustDomain: options.trustDomain,
    listen: options.listen,
    advertise: options.advertise ?? null,
    version: program.version() ?? "unknown",
    seams,
  });
  if (said !== null) frame.output.say(said);
  frame.output.result(made, ({ vaultId, folder, offlineKeys }) => [
    `vault ${vaultId}`,
    `in ${folder}`,
    "Carry these away: they are needed to rotate the root and to recover passwords, never to run.",
    ...offlineKeys.map((file) => `  ${file}`),
  ]);
}

async function enroll(frame: Frame, name: string, options: EnrollOptions): Promise<void> {
  const body = {
    name,
    role: options.role,
    zone: options.zone,
    via: options.via ?? null,
    address: options.address ?? null,
    hosts: options.host,
    media: options.media === true,
  };
  const answer = await callAdmin(dataPath(frame, "vault", options), { method: "POST", path: "/v1/codes", body });
  const { code, expiresAtMs } = answer as { code: string; expiresAtMs: number };
  const until = new Date(expiresAtMs).toISOString();
  if (options.qr === true || options.qrPng !== undefined) {
    const { giveQr } = await import("../qr/index.ts");
    // Capitals and digits need fewer modules, and a code may be typed in either.
    giveQr(frame, code.toUpperCase(), options);
  }
  if (options.out !== undefined) {
    writeSecretFile(options.out, `${code}\n`);
    frame.output.result({ file: options.out, expiresAtMs }, ({ file }) => `the code is in ${file}, good until ${until}`);
    return;
  }
  frame.output.say(
    `type this at ${name}: tidegate ${options.role} join${options.media === true ? " --media MOUNT" : ""}; good once, until ${until}`,
  );
  frame.output.result({ code, expiresAtMs }, () => code);
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function enrolledRole(text: string): string {
  if (text === "gateway" || text === "edge") return text;
  throw new CliError("CLI_USAGE", `--role takes gateway or edge, not '${text}'`);
}
