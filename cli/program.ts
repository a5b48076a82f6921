import { Command, type CommanderError } from "commander";
import { CliError, type CommandModule, type Frame, notAvailable } from "./frame/index.ts";

/** The whole command line, without running it. `modules` are the areas that this version has. */
export function createProgram(frame: Frame, modules: readonly CommandModule[], version: string): Command {
  const program = new Command("tidegate")
    .description("Carries sealed credentials into networks that nothing may reach from outside.")
    .version(version)
    .option("--json", "print results and errors as JSON")
    // Errors are told by main; what is left is the help of a command that was given without its subcommand.
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  for (const module of modules) module(program, frame);
  later(program);
  return program;
}

/** Runs what was typed. What a node finds wrong in the call is told of the options and arguments that were typed. */
export async function runProgram(program: Command, words: readonly string[]): Promise<void> {
  const typed: Command[] = [];
  program.hook("preAction", (_program, command) => {
    refuseEmpty(command);
    typed.push(command);
  });
  try {
    await program.parseAsync(words);
  } catch (error) {
    const command = typed.at(-1);
    if (command === undefined) throw error;
    const { asTyped } = await import("./typed-names.ts");
    throw asTyped(error, command);
  }
}

/** A variable of a script that is not set: an empty folder would be the one that the command runs in. Throws CLI_USAGE. */
function refuseEmpty(command: Command): void {
  const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.some(isEmpty));
  const option = command.options.find((each) => isEmpty(command.getOptionValue(each.attributeName())))?.long;
  const argument = command.registeredArguments.find((_, at) => isEmpty(command.processedArgs[at]))?.name();
  const empty = option ?? (argument === undefined ? null : `<${argument}>`);
  if (empty !== null) throw new CliError("CLI_USAGE", `${empty} is empty`, { hint: "Is a variable of the script not set?" });
}

/** Turns what commander throws into our errors; null where it only printed help or the version. */
export function usageError(error: CommanderError): CliError | null {
  if (error.exitCode === 0 || error.code === "commander.help") return null;
  const [message = "usage", meant = ""] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = /^\((Did you mean .*\?)\)$/.exec(meant)?.[1];
  return new CliError("CLI_USAGE", message, { hint: suggestion ?? "Run the command with --help." });
}

/** Commands of later versions refuse by name instead of being unknown. */
function later(program: Command): void {
  const areas: readonly (readonly [string, string])[] = [
    ["exec", "run a command with credentials in its environment"],
    ["render", "fill a template with credentials"],
    ["watch", "follow a credential"],
    ["profile", "provisioning profiles"],
    ["request", "ask for just-in-time access"],
    ["approve", "approve a request"],
    ["deny", "deny a request"],
  ];
  for (const [name, summary] of areas) {
    if (!program.commands.some((command) => command.name() === name)) notAvailable(program, name, summary);
  }
}

export { CommanderError } from "commander";
