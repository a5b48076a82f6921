import type { Adapter } from "../contract/index.ts";
import type { AdapterName } from "./adapter-names.ts";

/** Loads an adapter's code; called in the adapter's own process only, so that an edge holds no protocol library. */
export async function loadAdapter(name: AdapterName): Promise<Adapter> {
  switch (name) {
    case "modbus":
      return (await import("../modbus/index.ts")).modbusAdapter;
    case "snmp":
      return (await import("../snmp/index.ts")).snmpAdapter;
    case "ssh":
      return (await import("../ssh/index.ts")).sshAdapter;
    default:
      return unknown(name);
  }
}

function unknown(name: never): never {
  throw new Error(`no adapter ${String(name)}`);
}
