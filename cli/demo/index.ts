export { runDemo } from "./demo.ts";
export { type DemoDevice, type Fields, startMeterDevice, startSwitch } from "./devices.ts";
export { freePort } from "./free-port.ts";
export type { Running } from "./processes.ts";
export { adopt, verifyLogs } from "./story.ts";
export { DemoSystem, zones } from "./system.ts";
export { until } from "./wait.ts";
