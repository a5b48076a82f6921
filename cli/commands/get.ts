import { existsSync } from "node:fs";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import { CliError, type CommandModule, dataPath, type Frame, withData } from "../frame/index.ts";
import { type ApiPlace, type CredentialAnswer, readCredential } from "../local-api/index.ts";

interface GetOptions {
  readonly data?: string;
  readonly socket?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly field?: string;
}

/** `tidegate get PATH`: one credential from the local API of an edge or a gateway, as an application would read it. */
export const getCommand: CommandModule = (program, frame) => {
  withData(program.command("get <path>"))
    .description("print a credential from the local API; the token comes from a file, standard input or a prompt")
    .option("--socket <file>", "the API's Unix socket")
    .option("--url <url>", "the API's address, e.g. https://relay.dmz.example:7445")
    .option("--ca <file>", "certificate of the authority that signed the API's, PEM")
    .option("--token-file <file>", "file with the application's token")
    .option("--token-stdin", "take the token from standard input")
    .option("--field <name>", "print this field only")
    .action(async (path: string, options: GetOptions) => {
      const token = await frame.secret({
        label: "application token",
        options: "--token-file FILE or --token-stdin",
        fromFile: options.tokenFile,
        fromStdin: options.tokenStdin,
      });
      try {
        const answer = await readCredential(place(frame, options), path, token);
        if (options.field === undefined) frame.output.result(answer, lines);
        else frame.output.result(fieldOf(answer, options.field), (value) => value);
      } finally {
        token.wipe();
      }
    });
};

function place(frame: Frame, options: GetOptions): ApiPlace {
  if (options.url !== undefined) return { kind: "url", base: options.url, caFile: options.ca };
  if (options.socket !== undefined) return { kind: "socket", path: options.socket };
  const sockets = (["edge", "gateway"] as const).map((role) => dataFolderAt(dataPath(frame, role, options)).apiSocket);
  return { kind: "socket", path: sockets.find((path) => existsSync(path)) ?? sockets[0] ?? "" };
}

/** One secret alone where there is one, so that it can be piped; `name=value` lines where there are several. */
function lines(answer: CredentialAnswer): string[] {
  const fields = Object.entries(answer.fields);
  if (fields.length === 1) return fields.map(([, value]) => value);
  return fields.map(([name, value]) => `${name}=${value}`);
}

function fieldOf(answer: CredentialAnswer, name: string): string {
  const value = name === "username" ? answer.username : answer.fields[name];
  if (value !== undefined) return value;
  throw new CliError("CLI_USAGE", `this credential has no field '${name}'`, {
    hint: `It has: ${["username", ...Object.keys(answer.fields)].join(", ")}.`,
  });
}
