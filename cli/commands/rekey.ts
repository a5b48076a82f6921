import type { Command } from "commander";
import type { ProxySettings } from "../../agent/proxy/index.ts";
import { CliError, dataPath, type Frame, openingUnlock, type UnlockOptions, withUnlock } from "../frame/index.ts";

interface RekeyOptions extends UnlockOptions {
  readonly fromFile?: string;
  readonly fromStdin?: boolean;
  readonly media?: string;
}

/** Whom the node of a folder dials, and through what, as its configuration (at this path) says. */
type WayOut = (config: string) => Promise<{ readonly address: string | null; readonly proxy: ProxySettings | null }>;

/** `tidegate edge | gateway rekey`. */
export function addRekey(parent: Command, frame: Frame, role: "gateway" | "edge", wayOut: WayOut): void {
  withUnlock(parent.command("rekey"))
    .description("give this node, which does not run, new keys with a code of 'node rekey'; its old ones count no more")
    .option("--from-file <file>", "file with the code")
    .option("--from-stdin", "take the code from standard input")
    .option("--media <mount>", "write the request to a medium; the same command again takes the answer from one")
    .action((options: RekeyOptions) => rekey(frame, role, options, wayOut));
}

async function rekey(frame: Frame, role: "gateway" | "edge", options: RekeyOptions, wayOut: WayOut): Promise<void> {
  const { openDataFolder } = await import("../../agent/data-folder/index.ts");
  const { rekeyMachine } = await import("../../agent/join/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const { nodeRole } = await import("../../protocol/trust/index.ts");
  const folder = openDataFolder(dataPath(frame, role, options));
  const { address, proxy } = await wayOut(folder.config);
  const { media } = options;
  if (address === null && media === undefined)
    throw new CliError("CLI_USAGE", "this node dials nobody: name the folder of a medium with --media MOUNT");
  const code = await frame.secret({ label: "code for new keys", fromFile: options.fromFile, fromStdin: options.fromStdin });
  const unlock = await openingUnlock(frame, folder, options);
  const bar = frame.progress("writing", 4);
  const onStep = (done: number) => bar.update(done);
  const way = { address: address ?? "", proxy, media, onStep };
  try {
    const made = await rekeyMachine({ folder, code, unlock, seams: machineSeams(), role: nodeRole[role], ...way }).finally(() =>
      bar.end(),
    );
    if (made === null) {
      const next = "take it to the vault ('tidegate media read', then 'media write'), and run this command again";
      return frame.output.result({ asked: media }, () => `the request is on ${media}, safe to remove; ${next}`);
    }
    const { name, serial } = made;
    frame.output.result({ name, serial }, () => `${name} has new keys, statement ${serial}: start it again`);
  } finally {
    code.wipe();
  }
}
