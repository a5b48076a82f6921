import type { Command } from "commander";
import { callAdmin } from "../../agent/admin/index.ts";
import { type CommandModule, type Frame, notAvailable, table, wholeNumber, withData } from "../frame/index.ts";
import { type AddOptions, addDevice } from "./device-add.ts";
import { type AdoptOptions, adoptAccount, type HoldOptions, holdDevice } from "./device-care.ts";
import { collect, collectPair, vaultPath } from "./device-options.ts";
import { type OrderOptions, orderDevice } from "./device-order.ts";
import { type SetOptions, setDevice } from "./device-set.ts";
import { type DeviceAnswer, deviceLines, reportedText, showDevice } from "./device-view.ts";

const windowHelp = "when it may be changed, such as 'Mon-Fri 22:00-04:00'; may be given more than once";

/** `tidegate device add | adopt | set | hold | release | list | show | rotate | verify`. */
export const deviceCommand: CommandModule = (program, frame) => {
  const device = program.command("device").description("devices and their accounts");
  withData(device.command("add <name>"))
    .description("register a device; nothing is sent to it")
    .requiredOption("--zone <zone>", "the zone whose edge reaches it")
    .requiredOption("--model <model>", "a model's name (tidegate model list) or a model file")
    .requiredOption("--host <host>", "name or address, without the port")
    .option("--port <port>", "the model's own port unless given", wholeNumber("--port"))
    .option("--set <key=value>", "a setting of the model; may be given more than once", collectPair, [])
    .requiredOption("--account <user>", "USER, or NAME=USER where USER is no name; may be given more than once", collect, [])
    .option("--rotate <policy>", "never, on-demand, or an interval such as 30d or 12h", "on-demand")
    .option("--windowless", "rotate also while the edge does not know the time")
    .option("--window <text>", windowHelp, collect, [])
    .option("--time-zone <name>", "the time zone that the windows are meant in, such as Europe/Berlin")
    .option("--break-glass <account>", "the account that never changes together with another one")
    .action((name: string, options: AddOptions) => addDevice(frame, name, options));
  withData(device.command("set <path>"))
    .description(
      "correct a device (zone/device) or the rules of an account (zone/device/account); what is not given stays, and so does the identity that its edge has pinned",
    )
    .option("--host <host>", "name or address, without the port")
    .option("--port <port>", "the port", wholeNumber("--port"))
    .option("--set <key=value>", "a setting of the model; may be given more than once", collectPair, [])
    .option("--window <text>", `${windowHelp}; all of them, or none`, collect, [])
    .option("--time-zone <name>", "the time zone that the windows are meant in, such as Europe/Berlin")
    .option("--rotate <policy>", "never, on-demand, or an interval such as 30d or 12h")
    .option("--windowless", "rotate also while the edge does not know the time")
    .option("--no-windowless", "not while the edge does not know the time")
    .option("--break-glass", "the account never changes together with another one of the device")
    .option("--no-break-glass", "it may")
    .option("--consumers <policy>", "ack-first: gateways hold a value before the edge may use it; none: accept the gap")
    .option("--rotate-after <events>", "person-read, revert, both with a comma between, or none")
    .option("--reconcile-by <account>", "zone/device/account of the device that may set this account's password anew")
    .option("--no-reconcile-by", "no other account may")
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
  for (const action of ["rotate", "verify", "reconcile"] as const) addOrder(device, frame, action);
  for (const action of ["hold", "release"] as const) {
    withData(device.command(`${action} <zone/device>`))
      .description(action === "hold" ? "let nothing new begin on a device; what is unfinished is finished" : "end a hold")
      .option("--reason <text>", "why; stands in the audit log")
      .action((path: string, options: HoldOptions) => holdDevice(frame, path, action, options));
  }
  withData(device.command("adopt <zone/device/account>"))
    .description("take an account over with its present password: it is proven, read-only, and never rotated until you say so")
    .option("--from-file <file>", "take the password from a file; several fields as lines name=value")
    .option("--from-stdin", "take it from standard input; several fields as lines name=value")
    .option("--wait <seconds>", "wait that long for the proof; exit code 1 where it is not good", wholeNumber("--wait"), 60)
    .action((path: string, options: AdoptOptions) => adoptAccount(frame, path, options));
  notAvailable(device, "remove <path>", "forget a device and its accounts");
};

const orderSummaries = {
  rotate: "order the edge to change the password once",
  verify: "order the edge to check, read-only, that the password works",
  reconcile: "order the edge to have the account of --reconcile-by set a password that nobody knows any more",
} as const;

function addOrder(device: Command, frame: Frame, action: keyof typeof orderSummaries): void {
  const command = withData(device.command(`${action} <zone/device/account>`))
    .description(orderSummaries[action])
    .option("--within <seconds>", "how long the edge may take to begin", wholeNumber("--within"))
    .option("--wait <seconds>", "wait that long for the outcome; exit code 1 where it is not good", wholeNumber("--wait"))
    .option("--cancel", "take back the orders that no edge has begun");
  if (action === "rotate") {
    command
      .option("--now", "also outside the device's windows; the audit log says who ordered it")
      .option("--dry-run", "order nothing: show what stands in the way, and what would be sent");
  }
  command.action((path: string, options: OrderOptions) => orderDevice(frame, { path, action }, options));
}

function accountNames(device: DeviceAnswer): string {
  return device.accounts.map(({ path }) => path.split("/").at(-1)).join(", ");
}

function states(device: DeviceAnswer): string {
  const texts = device.accounts.map((each) => (each.unsettled ? "UNSETTLED" : reportedText(each)));
  return new Set(texts).size === 1 ? texts.slice(0, 1).join() : texts.join(", ");
}
