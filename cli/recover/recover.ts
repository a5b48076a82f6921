import { callAdmin } from "../../agent/admin/index.ts";
import { machineSeams } from "../../agent/seams/index.ts";
import { CliError, exitCodes, type Frame, writeSecretFile } from "../frame/index.ts";
import { type RecoveryCase, readCase } from "./case.ts";
import { RecoverError } from "./codes.ts";
import { type ProbeOptions, probe } from "./probe.ts";
import { caseLines } from "./text.ts";

export interface RecoverOptions {
  readonly reveal?: boolean;
  readonly toFile?: string;
  readonly at?: readonly string[];
  readonly probe?: boolean;
  readonly wait?: boolean;
  readonly host?: string;
  readonly port?: string;
  readonly edgeOffFor?: string;
}

interface Shown {
  readonly version: string;
  readonly status: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * The candidates of a device whose edge is gone: listed, with `reveal` or `toFile` their values too, with `probe` tried. Throws the
 * RECOVER codes, CLI_USAGE, CLI_FILE and what the vault refuses.
 */
export async function recover(
  frame: Frame,
  folder: string,
  path: string,
  options: RecoverOptions,
  adapters?: ProbeOptions["adapters"],
): Promise<void> {
  const { clock, timers } = machineSeams();
  const shows = options.reveal === true || options.toFile !== undefined;
  if (shows && options.probe === true) throw new CliError("CLI_USAGE", "--probe and --reveal are two ways: give one");
  if (shows && options.toFile === undefined && !frame.isTerminal) {
    throw new CliError("CLI_USAGE", "--reveal prints to a terminal only; --to-file FILE writes a file of your own");
  }
  const found = await readCase(folder, path, clock.wallMs());
  if (options.probe === true) {
    const edgeOffForMs = minutesOf(options.edgeOffFor) * 60_000;
    const common = { folder, host: options.host, port: portOf(options.port), wait: options.wait === true };
    return probed(frame, found, { ...common, edgeOffForMs, clock, timers, ...(adapters === undefined ? {} : { adapters }) });
  }
  if (shows) return shown(frame, folder, found, options);
  frame.output.result(listed(found), () => caseLines(found));
}

/** What `--json` says; the model's text is not part of it. */
function listed({ model: _model, ...found }: RecoveryCase) {
  return { ...found, budget: { ...found.budget, attempts: found.limit } };
}

async function shown(frame: Frame, folder: string, found: RecoveryCase, options: RecoverOptions): Promise<void> {
  const body = { path: found.path, versions: options.at ?? null };
  const call = { method: "POST", path: "/v1/credentials/recover", body } as const;
  const values = ((await callAdmin(folder, call)) as Shown[]).map((each) => ({ ...each, fields: decoded(each.fields) }));
  const lines = values.flatMap(({ version, status, fields }) => [
    `${version}  ${status}`,
    ...Object.entries(fields).map(([name, value]) => `  ${name} = ${value}`),
  ]);
  if (options.toFile === undefined) {
    frame.output.result({ ...listed(found), values }, () => [...caseLines(found), "", ...lines]);
    return;
  }
  writeSecretFile(options.toFile, `${lines.join("\n")}\n`);
  const said = { file: options.toFile, versions: values.map(({ version }) => version) };
  frame.output.result(said, ({ file, versions }) => `${versions.length} versions are in ${file}`);
}

async function probed(frame: Frame, found: RecoveryCase, options: ProbeOptions): Promise<void> {
  const { live, attempts } = await probe(frame, found, options);
  frame.output.result({ path: found.path, live, attempts }, () =>
    live === null ? "no candidate logs in" : [`${live} is live and current now`, ...nextSteps(found)],
  );
  if (live !== null) return;
  const unanswered = attempts.filter(({ outcome }) => outcome === "AMBIGUOUS").length;
  frame.exit(exitCodes.negative);
  frame.output.error(
    new RecoverError("RECOVER_NONE", `none of ${attempts.length} candidates logs in, ${unanswered} brought no answer`, {
      hint: "Reset the device to its factory password, then 'tidegate credential set PATH' with that.",
    }),
  );
}

function nextSteps({ path, edge }: RecoveryCase): string[] {
  const [zone = ""] = path.split("/");
  const name = edge?.name ?? "NAME";
  return [
    `next: enrol an edge in the place of the one that is gone: tidegate vault enroll ${name} --role edge --zone ${zone} --via GATEWAY`,
    `it gets this version as current and goes on from there; to be sure: tidegate device verify ${path}`,
  ];
}

/** Values as text; one that is no text stays base64, which its name then says. */
function decoded(fields: Readonly<Record<string, string>>): Record<string, string> {
  const texts = Object.entries(fields).map(([name, value]) => {
    const text = Buffer.from(value, "base64").toString("utf8");
    return [name, Buffer.from(text, "utf8").toString("base64") === value ? text : `base64:${value}`];
  });
  return Object.fromEntries(texts) as Record<string, string>;
}

function minutesOf(text: string | undefined): number {
  if (text === undefined) return 0;
  const minutes = Number(text);
  if (/^\d{1,6}$/.test(text) && minutes >= 1) return minutes;
  throw new CliError("CLI_USAGE", "--edge-off-for: minutes, from 1");
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new CliError("CLI_USAGE", "--port: 1 to 65535");
}
