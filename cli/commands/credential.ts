import { callAdmin } from "../../agent/admin/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import { CliError, type CommandModule, dataPath, type Frame, table, withData } from "../frame/index.ts";
import type { RecoverOptions } from "../recover/index.ts";
import { showDevice } from "./device-view.ts";

/** Where a secret is taken from. */
export interface TakeOptions {
  readonly data?: string;
  readonly fromFile?: string;
  readonly fromStdin?: boolean;
}

interface ShowOptions {
  readonly data?: string;
  readonly reveal?: boolean;
  readonly at?: string;
}

interface VersionAnswer {
  readonly version: string;
  readonly status: string;
  readonly source: string;
  readonly fieldNames: readonly string[];
  readonly createdAtMs: number;
  readonly provenAtMs: number | null;
  /** Node that proved it last, or "vault". */
  readonly provenBy: string | null;
  /** When its status became what it is. */
  readonly statusAtMs: number | null;
}

/** Who a value came from. */
const sources: Readonly<Record<string, string>> = { set: "operator", generated: "vault", escrow: "edge's escrow" };

type CredentialAnswer = VersionAnswer & {
  readonly path: string;
  readonly username: string;
  readonly fields?: Readonly<Record<string, string>>;
};

/** `tidegate credential set | show | history | recover`. */
export const credentialCommand: CommandModule = (program, frame) => {
  const credential = program.command("credential").description("the versioned secrets of accounts");
  withData(credential.command("set <zone/device/account>"))
    .description("give the secret that is live on the device now; it is asked for without echo")
    .option("--from-file <file>", "take it from a file; several fields as lines name=value")
    .option("--from-stdin", "take it from standard input; several fields as lines name=value")
    .action((path: string, options: TakeOptions) => set(frame, path, options));
  withData(credential.command("show <zone/device/account>"))
    .description("show the version in use; its secret only with --reveal")
    .option("--reveal", "print the secret too; the audit log says so")
    .option("--at <version>", "another version, as history names it; with --reveal")
    .action((path: string, options: ShowOptions) => show(frame, path, options));
  withData(credential.command("history <zone/device/account>"))
    .description("list every version, newest first; none is ever deleted")
    .action(async (path: string, options: { data?: string }) => {
      const call = { method: "GET", path: `/v1/credentials/history?path=${encodeURIComponent(path)}` } as const;
      const answer = (await callAdmin(dataPath(frame, "vault", options), call)) as { path: string; versions: VersionAnswer[] };
      frame.output.result(answer, ({ versions }) =>
        table([
          ["VERSION", "STATUS", "SINCE", "SOURCE", "CREATED", "PROVEN", "BY"],
          ...versions.map((each) => [
            each.version,
            each.status,
            time(each.statusAtMs ?? each.createdAtMs),
            sources[each.source] ?? each.source,
            time(each.createdAtMs),
            time(each.provenAtMs),
            each.provenBy ?? "",
          ]),
        ]),
      );
    });
  withData(credential.command("recover <zone/device/account>"))
    .description("the passwords that a device may have whose edge is gone, in the order to try; --probe tries them")
    .option("--reveal", "print the values too, to a terminal; the audit log names which")
    .option("--to-file <file>", "write the values into a new file (0600) instead")
    .option("--at <version>", "only this version; may be given again", (value, all: string[] = []) => [...all, value])
    .option("--probe", "log in with one after the other, within the device's lockout, until one works")
    .option("--wait", "with --probe: wait for lockout windows to pass")
    .option("--host <host>", "with --probe: the device's address from here")
    .option("--port <port>", "with --probe: its port from here")
    .option("--edge-off-for <minutes>", "with --probe: the edge has been off for so long, and can have tried nothing since")
    .action(async (path: string, options: RecoverOptions & { data?: string }) => {
      const { recover } = await import("../recover/index.ts");
      await recover(frame, dataPath(frame, "vault", options), path, options);
    });
};

async function set(frame: Frame, path: string, options: TakeOptions): Promise<void> {
  const answer = await setCredential(frame, path, options);
  frame.output.result(answer, ({ version }) => `${path} is at version ${version}`);
}

/** Asks for the secret that is live on the device, and gives it to the vault. */
export async function setCredential(
  frame: Frame,
  path: string,
  options: TakeOptions,
): Promise<{ path: string; version: string }> {
  const device = await showDevice(frame, path.split("/").slice(0, 2).join("/"), options);
  const fields = await takeFields(frame, device.fields, options);
  const call = { method: "PUT", path: "/v1/credentials", body: { path, fields } } as const;
  return (await callAdmin(dataPath(frame, "vault", options), call)) as { path: string; version: string };
}

/** The named secrets, base64. */
async function takeFields(frame: Frame, names: readonly string[], options: TakeOptions): Promise<Record<string, string>> {
  const [only] = names;
  const piped = options.fromFile !== undefined || options.fromStdin === true;
  if (!piped || (names.length === 1 && only !== undefined)) {
    const taken: Record<string, string> = {};
    for (const name of names) {
      const secret = await frame.secret({
        label: name,
        fromFile: options.fromFile,
        fromStdin: options.fromStdin,
        confirm: true,
      });
      taken[name] = encoded(secret);
    }
    return taken;
  }
  const secret = await frame.secret({ label: names.join(", "), fromFile: options.fromFile, fromStdin: options.fromStdin });
  const text = secret.use((bytes) => Buffer.from(bytes).toString("utf8"));
  secret.wipe();
  const pairs = text.split(/\r?\n/).map((line): [string, string] => {
    const at = line.indexOf("=");
    if (at < 1) throw new CliError("CLI_USAGE", `expected one line name=value for each of ${names.join(", ")}`);
    return [line.slice(0, at), Buffer.from(line.slice(at + 1)).toString("base64")];
  });
  return Object.fromEntries(pairs);
}

function encoded(secret: Secret): string {
  const text = secret.use((bytes) => Buffer.from(bytes).toString("base64"));
  secret.wipe();
  return text;
}

async function show(frame: Frame, path: string, options: ShowOptions): Promise<void> {
  if (options.at !== undefined && options.reveal !== true)
    throw new CliError("CLI_USAGE", "--at goes with --reveal; history lists the versions");
  const body = { path, ...(options.at === undefined ? {} : { version: options.at }) };
  const call =
    options.reveal === true
      ? ({ method: "POST", path: "/v1/credentials/reveal", body } as const)
      : ({ method: "GET", path: `/v1/credentials?path=${encodeURIComponent(path)}` } as const);
  const answer = (await callAdmin(dataPath(frame, "vault", options), call)) as CredentialAnswer;
  const shown = answer.fields === undefined ? answer : { ...answer, fields: decoded(answer.fields) };
  frame.output.result(shown, (one) => [
    `${one.path}  user ${one.username}  version ${one.version}  ${one.status}, ${one.source}, proven ${time(one.provenAtMs)}`,
    ...one.fieldNames.map((name) => `  ${name} = ${one.fields?.[name] ?? "(--reveal prints it)"}`),
  ]);
}

/** Values as text; one that is no text stays base64, which its name then says. */
function decoded(fields: Readonly<Record<string, string>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) {
    const text = Buffer.from(value, "base64").toString("utf8");
    out[name] = Buffer.from(text, "utf8").toString("base64") === value ? text : `base64:${value}`;
  }
  return out;
}

function time(ms: number | null): string {
  return ms === null ? "never" : new Date(ms).toISOString();
}
