import { type DemoDevice, startMeterDevice, startSwitch } from "./devices.ts";
import { createNarrator, type NarratorStream } from "./narrator.ts";
import { snmpPackages } from "./snmp-agent.ts";
import { adopt, readInDmz, rotateByOrder, startNodes, verifyLogs, withoutVault } from "./story.ts";
import { DemoSystem } from "./system.ts";

export interface DemoOptions {
  /** Leave the folders of the nodes and devices behind. */
  readonly keep: boolean;
  readonly stream: NarratorStream;
  readonly version: string;
  /** Where Net-SNMP's programs are looked for; PATH and the system's folders unless given. */
  readonly programFolders?: readonly string[];
}

/** What the demo did, for --json and for its tests. */
export interface DemoResult {
  readonly steps: number;
  readonly seconds: number;
  readonly devices: readonly string[];
  /** What was not run, and what would install it; null where everything was. */
  readonly notRun: string | null;
  readonly folder: string | null;
}

/** Runs the whole system on this machine, told step by step; ends every process it started, whatever happens. */
export async function runDemo({ keep, stream, version, programFolders }: DemoOptions): Promise<DemoResult> {
  const started = performance.now();
  const tell = createNarrator(stream);
  const system = new DemoSystem();
  let ending: Promise<void> | null = null;
  const interrupted = (): void => {
    tell.interrupt();
    ending ??= system.close({ keep }).finally(() => process.exit(130));
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, interrupted);
  try {
    const devices: DemoDevice[] = [];
    const factory = { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" };
    const snmp = await startSwitch(system, factory, programFolders);
    if (snmp !== null) devices.push(snmp);
    devices.push(await startMeterDevice(system, { password: "1000" }));
    const notRun =
      snmp === null ? `the SNMPv3 part was NOT RUN: snmpd is not installed (apt-get install ${snmpPackages})` : null;
    tell.say(
      `Tidegate ${version}: vault, gateway, edge and ${devices.length} devices, each its own process, in ${system.root}`,
    );
    if (notRun !== null) tell.say(notRun);
    const story = { system, tell, devices };
    await startNodes(story);
    await adopt(story);
    await rotateByOrder(story);
    const reader = await readInDmz(story);
    await withoutVault(story, reader);
    await verifyLogs(story);
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const summary = `${tell.steps} steps, all proven, in ${seconds} s: each device is at its third password, none was lost`;
    tell.say(`${summary}${keep ? `; folders kept in ${system.root}` : ""}`);
    if (notRun !== null) tell.say(notRun);
    return { steps: tell.steps, seconds, devices: devices.map(({ path }) => path), notRun, folder: keep ? system.root : null };
  } catch (error) {
    // The end of the children makes the running step fail: that is no finding, and the process ends here.
    await ending;
    throw error;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, interrupted);
    await system.close({ keep });
  }
}
