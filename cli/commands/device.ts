import { callAdmin } from "../../agent/admin/index.ts";
import {
  CliError,
  type CommandModule,
  dataPath,
  exitCodes,
  type Frame,
  hintOf,
  notAvailable,
  table,
  withData,
} from "../frame/index.ts";
import { requireReach, requireSettings, type SetOptions, setDevice } from "./device-set.ts";
import { type DeviceAnswer, deviceLines, reportedText, showDevice } from "./device-view.ts";
import { secondsOf } from "./duration.ts";

interface AddOptions {
  readonly data?: string;
  readonly zone: string;
  readonly model: string;
  readonly host: string;
  readonly port?: number;
  readonly set: readonly (readonly [string, string])[];
  readonly account: readonly string[];
  readonly rotate: string;
  readonly windowless?: boolean;
}

interface OrderAnswer {
  readonly orderId: string;
  readonly state: string;
  readonly outcome: string | null;
  readonly code: string | null;
}

interface OrderOptions {
  readonly data?: string;
  readonly cancel?: boolean;
  readonly within?: number;
  readonly wait?: number;
}

/** How often a waiting command asks what became of its order, ms. */
const pollMs = 250;

/** `tidegate device add | set | list | show | rotate | verify`. */
export const deviceCommand: CommandModule = (program, frame) => {
  const device = program.command("device").description("devices and their accounts");
  withData(device.command("add <name>"))
    .description("register a device; nothing is sent to it")
    .requiredOption("--zone <zone>", "the zone whose edge reaches it")
    .requiredOption("--model <model>", "a model's name (tidegate model list) or a model file")
    .requiredOption("--host <host>", "name or address, without the port")
    .option("--port <port>", "the model's own port unless given", wholeNumber)
    .option("--set <key=value>", "a setting of the model; may be given more than once", collectPair, [])
    .requiredOption("--account <user>", "USER, or NAME=USER where USER is no name; may be given more than once", collect, [])
    .option("--rotate <policy>", "never, on-demand, or an interval such as 30d or 12h", "on-demand")
    .option("--windowless", "rotate also while the edge does not know the time")
    .action((name: string, options: AddOptions) => add(frame, name, options));
  withData(device.command("set <zone/device>"))
    .description(
      "correct where a device is reached; what is not given stays, and so does the identity that its edge has pinned",
    )
    .option("--host <host>", "name or address, without the port")
    .option("--port <port>", "the port", wholeNumber)
    .option("--set <key=value>", "a setting of the model; may be given more than once", collectPair, [])
    .action((path: string, options: SetOptions) => setDevice(frame, path, options));
  withData(device.command("list"))
    .description("list the devices")
    .action(async (options: { data?: string }) => {
      const devices = (await callAdmin(vaultPath(frame, options), { method: "GET", path: "/v1/devices" })) as DeviceAnswer[];
      frame.output.result(devices, (all) =>
        table([
          ["DEVICE", "MODEL", "HOST", "ACCOUNTS", "LAST REPORTED"],
          ...all.map((each) => [each.path, each.model, `${each.host}:${each.port}`, accountNames(each), states(each)]),
        ]),
      );
    });
  withData(device.command("show <zone/device>"))
    .description("show a device and its accounts")
    .action(async (path: string, options: { data?: string }) => {
      frame.output.result(await showDevice(frame, path, options), deviceLines);
    });
  for (const action of ["rotate", "verify"] as const) {
    withData(device.command(`${action} <zone/device/account>`))
      .description(
        action === "rotate"
          ? "order the edge to change the password once"
          : "order the edge to check, read-only, that the password works",
      )
      .option("--within <seconds>", "how long the edge may take to begin", wholeNumber)
      .option("--wait <seconds>", "wait that long for the outcome; exit code 1 where it is not good", wholeNumber)
      .option("--cancel", "take back the orders that no edge has begun")
      .action((path: string, options: OrderOptions) =>
        options.cancel === true ? withdraw(frame, { path, action }, options) : order(frame, { path, action }, options),
      );
  }
  notAvailable(device, "remove <path>", "forget a device and its accounts");
  notAvailable(device, "hold <path>", "keep a device from being rotated");
  notAvailable(device, "release <path>", "end a hold");
  notAvailable(device, "adopt <path>", "take a device over with its present password");
};

async function add(frame: Frame, name: string, options: AddOptions): Promise<void> {
  const { readBuiltinModel, readModelFile } = await import("../models/index.ts");
  const { modelNames } = await import("../../firmware-adapters/index.ts");
  const builtin = (modelNames as readonly string[]).includes(options.model);
  const isFile = !builtin && /[./]/.test(options.model);
  const { model, text } = isFile ? readModelFile(options.model) : readBuiltinModel(options.model);
  const settings = await requireSettings(model, Object.fromEntries(options.set));
  const rotation = rotationOf(options.rotate);
  const port = options.port ?? model.defaultPort;
  requireReach({ host: options.host, port });
  const body = {
    name,
    zone: options.zone,
    // A published model is part of every edge; a file's text travels with the device.
    model: { name: model.name, yaml: isFile ? text : null, constraints: model.secrets },
    host: options.host,
    port,
    settings,
    accounts: options.account.map((each) => ({ ...accountOf(each), ...rotation, windowless: options.windowless === true })),
  };
  const added = (await callAdmin(vaultPath(frame, options), { method: "POST", path: "/v1/devices", body })) as DeviceAnswer;
  for (const note of model.sideEffects) frame.output.say(`note: ${note}`);
  frame.output.result(added, deviceLines);
  for (const { path } of added.accounts) frame.output.say(`next: tidegate credential set ${path}`);
}

async function order(frame: Frame, body: { path: string; action: string }, options: OrderOptions): Promise<void> {
  const data = vaultPath(frame, options);
  const given = options.within === undefined ? body : { ...body, withinS: options.within };
  let answer = (await callAdmin(data, { method: "POST", path: "/v1/orders", body: given })) as OrderAnswer;
  const until = Date.now() + (options.wait ?? 0) * 1000;
  while (answer.state === "open" && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    answer = (await callAdmin(data, { method: "GET", path: `/v1/orders/${answer.orderId}` })) as OrderAnswer;
  }
  frame.output.result(answer, ({ orderId, state, outcome, code }) =>
    state === "open" ? `ordered: ${orderId}` : `${outcome}${code === null ? "" : ` (${code})`}`,
  );
  if (options.wait === undefined || answer.outcome === "done") return;
  const open = `not carried out after ${options.wait} s; it stays open: 'tidegate status' at the edge says what it waits for`;
  const hint = answer.state === "open" ? open : hintOf(answer.code ?? "");
  if (hint !== undefined) frame.output.say(`hint: ${hint}`);
  frame.exit(exitCodes.negative);
}

async function withdraw(frame: Frame, body: { path: string; action: string }, options: OrderOptions): Promise<void> {
  if (options.within !== undefined || options.wait !== undefined) {
    throw new CliError("CLI_USAGE", "--cancel takes an order back: --within and --wait are of a new one");
  }
  const call = { method: "POST", path: "/v1/orders/withdraw", body } as const;
  const orders = (await callAdmin(vaultPath(frame, options), call)) as OrderAnswer[];
  frame.output.result(orders, (all) => all.map(({ orderId }) => `withdrawn: ${orderId}`));
}

function accountNames(device: DeviceAnswer): string {
  return device.accounts.map(({ path }) => path.split("/").at(-1)).join(", ");
}

function states(device: DeviceAnswer): string {
  const texts = device.accounts.map(reportedText);
  return new Set(texts).size === 1 ? texts.slice(0, 1).join() : texts.join(", ");
}

function accountOf(text: string): { name: string; username: string } {
  const at = text.indexOf("=");
  return at < 0 ? { name: text, username: text } : { name: text.slice(0, at), username: text.slice(at + 1) };
}

function rotationOf(text: string): { rotate: string; intervalS: number | null } {
  if (text === "never" || text === "on-demand") return { rotate: text, intervalS: null };
  const intervalS = secondsOf(text);
  if (intervalS === null) {
    throw new CliError("CLI_USAGE", "--rotate takes never, on-demand, or an interval such as 30d, 12h or 90m");
  }
  return { rotate: "interval", intervalS };
}

function vaultPath(frame: Frame, options: { data?: string }): string {
  return dataPath(frame, "vault", options);
}

function wholeNumber(text: string): number {
  if (/^(0|[1-9][0-9]{0,8})$/.test(text)) return Number(text);
  throw new CliError("CLI_USAGE", "expected a whole number");
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function collectPair(value: string, before: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const at = value.indexOf("=");
  if (at < 1) throw new CliError("CLI_USAGE", "--set takes key=value");
  return [...before, [value.slice(0, at), value.slice(at + 1)]];
}
