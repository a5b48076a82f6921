import type { CommandModule } from "../frame/index.ts";

/** `tidegate demo`: the whole system on one machine. */
export const demoCommand: CommandModule = (program, frame) => {
  program
    .command("demo")
    .description("run the whole system on this machine, told step by step; nothing else is needed")
    .option("--keep", "leave the folders of the nodes and devices behind")
    .action(async (options: { keep?: boolean }) => {
      const { runDemo } = await import("../demo/index.ts");
      const stream = frame.output.json ? process.stderr : process.stdout;
      const result = await runDemo({ keep: options.keep === true, stream, version: program.version() ?? "unknown" });
      if (frame.output.json) frame.output.result(result, () => []);
    });
};
