import { existsSync } from "node:fs";
import { dataFolderAt } from "../../agent/data-folder/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { CliError, type CommandModule, dataPath, exitCodes, type Frame, withData } from "../frame/index.ts";
import { type ApiPlace, type CredentialAnswer, readCredential } from "../local-api/index.ts";
import { secondsOf } from "./duration.ts";

interface GetOptions {
  readonly data?: string;
  readonly socket?: string;
  readonly url?: string;
  readonly ca?: string;
  readonly tokenFile?: string;
  readonly tokenStdin?: boolean;
  readonly field?: string;
  readonly after?: string;
  readonly wait?: string;
}

/** The API's own bound of one wait; longer ones ask again. */
const mostWaitMs = 60_000;

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
    .option("--wait <time>", "wait so long for another version than the present one, such as 10m; exit code 1 where none came")
    .option("--after <version>", "with --wait: another version than this one")
    .action(async (path: string, options: GetOptions) => {
      const token = await frame.secret({
        label: "application token",
        options: "--token-file FILE or --token-stdin",
        fromFile: options.tokenFile,
        fromStdin: options.tokenStdin,
      });
      try {
        const answer = await read(frame, path, options, token);
        if (answer === null) {
          frame.output.say(`${path} has no other version yet`);
          return frame.exit(exitCodes.negative);
        }
        if (answer.stale === true)
          frame.output.say(`note: stale, for the vault was last heard at ${answer.vaultLastHeardAt ?? "no time"}`);
        if (options.field === undefined) frame.output.result(answer, lines);
        else frame.output.result(fieldOf(answer, options.field), (value) => value);
      } finally {
        token.wipe();
      }
    });
};

/** The credential, or with `--wait` the next other version of it; null where none came in time. */
async function read(frame: Frame, path: string, options: GetOptions, token: Secret): Promise<CredentialAnswer | null> {
  const at = place(frame, options);
  if (options.wait === undefined) {
    if (options.after === undefined) return readCredential(at, path, token);
    throw new CliError("CLI_USAGE", "--after goes with --wait");
  }
  const waitS = secondsOf(options.wait);
  if (waitS === null) throw new CliError("CLI_USAGE", "--wait takes a time such as 90s, 30m or 2h");
  const version = options.after ?? (await readCredential(at, path, token))?.version ?? "";
  for (let leftMs = waitS * 1000; leftMs > 0; leftMs -= mostWaitMs) {
    const answer = await readCredential(at, path, token, { version, waitMs: Math.min(leftMs, mostWaitMs) });
    if (answer !== null) return answer;
  }
  return null;
}

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
