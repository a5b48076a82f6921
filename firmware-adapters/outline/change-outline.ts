import type { DeviceTarget } from "../contract/index.ts";
import type { DeviceModel } from "../models/index.ts";
import { modbusOutline } from "./modbus-outline.ts";
import { snmpOutline } from "./snmp-outline.ts";
import { sshOutline } from "./ssh-outline.ts";

/** What an outline is made of: no secret is among it. */
export interface OutlineJob {
  readonly target: DeviceTarget;
  readonly username: string;
  readonly model: DeviceModel;
}

/**
 * What a rotation would send to the device, one line a request, in their order. A secret's place is named, never its value; nothing is
 * sent. A module of its own beside the adapters, so that asking loads no protocol library.
 */
export function changeOutline({ target, username, model }: OutlineJob): string[] {
  const where = `${target.host}:${target.port}`;
  switch (model.adapter) {
    case "modbus":
      return [`connect to ${where} over Modbus TCP, unit ${target.settings["unitId"] ?? "1"}`, ...modbusOutline(model.recipe)];
    case "snmp":
      return [`connect to ${where} over SNMPv3 as ${username}, authenticated and encrypted`, ...snmpOutline(model)];
    case "ssh":
      return [
        `connect to ${where} over SSH, after its host key was compared`,
        ...sshOutline(model.parameters, username, target),
      ];
    default:
      return unknown(model);
  }
}

function unknown(model: never): never {
  throw new Error(`no outline for ${JSON.stringify(model)}`);
}
