import { type CommandModule, withData } from "../frame/index.ts";

interface CarryOptions {
  readonly data?: string;
  readonly person?: string;
}

/** `tidegate media write | read | inspect`. */
export const mediaCommand: CommandModule = (program, frame) => {
  const media = program.command("media").description("carry bundles, reports and join requests on removable media");
  withData(media.command("write <mount>"))
    .description("write what waits at the running node to a medium, read it back, and say when it is safe to remove")
    .option("--node <name>", "at a vault: only what is for this node; may be given more than once", collect, [])
    .option("--person <name>", "who carries the medium; stands in the audit log")
    .action(async (mount: string, options: CarryOptions & { node: string[] }) => {
      const { runWrite } = await import("../media/index.ts");
      await runWrite(frame, mount, options);
    });
  withData(media.command("read <mount>"))
    .description("take what a medium brings for the running node, or for those that it carries for")
    .option("--person <name>", "who brought the medium; stands in the audit log")
    .action(async (mount: string, options: CarryOptions) => {
      const { runRead } = await import("../media/index.ts");
      await runRead(frame, mount, options);
    });
  withData(media.command("inspect <mount>"))
    .description("show what is on a medium without opening a seal; with --data also how it stands at that running node")
    .option("--vault-id <hex>", "the vault that it should be of, as 'vault init' printed it")
    .action(async (mount: string, options: { data?: string; vaultId?: string }) => {
      const { runInspect } = await import("../media/index.ts");
      await runInspect(frame, mount, options);
    });
};

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
