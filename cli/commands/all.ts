import type { CommandModule } from "../frame/index.ts";
import { alarmCommand } from "./alarm.ts";
import { appCommand } from "./app.ts";
import { auditCommand } from "./audit.ts";
import { credentialCommand } from "./credential.ts";
import { demoCommand } from "./demo.ts";
import { deviceCommand } from "./device.ts";
import { doctorCommand } from "./doctor.ts";
import { edgeCommand } from "./edge.ts";
import { fleetCommand } from "./fleet.ts";
import { freshnessCommand } from "./freshness.ts";
import { gatewayCommand } from "./gateway.ts";
import { getCommand } from "./get.ts";
import { groupCommand } from "./group.ts";
import { leaseCommand } from "./lease.ts";
import { mediaCommand } from "./media.ts";
import { modelCommand } from "./model.ts";
import { nodeCommand } from "./node.ts";
import { rootCommand } from "./root.ts";
import { statusCommand } from "./status.ts";
import { vaultCommand } from "./vault.ts";

/** One line an area. A module only describes its commands; what they run is imported when they run. */
export const commandModules: readonly CommandModule[] = [
  demoCommand,
  vaultCommand,
  rootCommand,
  nodeCommand,
  deviceCommand,
  fleetCommand,
  groupCommand,
  credentialCommand,
  appCommand,
  leaseCommand,
  freshnessCommand,
  mediaCommand,
  auditCommand,
  alarmCommand,
  edgeCommand,
  gatewayCommand,
  getCommand,
  modelCommand,
  statusCommand,
  doctorCommand,
];
