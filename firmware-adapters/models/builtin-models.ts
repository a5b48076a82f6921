import { readFileSync } from "node:fs";
import { loadModel } from "./load-model.ts";
import type { DeviceModel } from "./model.ts";
import { ModelError } from "./model-error.ts";

const folder = new URL("./", import.meta.url);

/** The models that come with the product; each is a file of this folder. */
export const modelNames = [
  "eastron-sdm",
  "eig-shark",
  "generic-snmpv3",
  "net-snmp-agent",
  "openssh-chpasswd",
  "openssh-passwd",
] as const;

/** The YAML text of a built-in model, to be shown or stored beside the devices that use it; throws MODEL_UNKNOWN. */
export function builtinModelText(name: string): string {
  if (!(modelNames as readonly string[]).includes(name))
    throw new ModelError("MODEL_UNKNOWN", `there is no model ${JSON.stringify(name)}`);
  return readFileSync(new URL(`${name}.yaml`, folder), "utf8");
}

/** Every built-in model, by name. */
export function loadBuiltinModels(): ReadonlyMap<string, DeviceModel> {
  return new Map(modelNames.map((name) => [name, loadModel(builtinModelText(name))]));
}
