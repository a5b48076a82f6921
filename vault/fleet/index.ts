export { advanceFleets } from "./advance.ts";
export { FLEET_CODES, FleetError } from "./codes.ts";
export { FleetWatch } from "./fleet-watch.ts";
export { mostCanaries, mostParallel, usualCanaries, usualParallel } from "./limits.ts";
export { exposedAccounts } from "./members.ts";
export { type FleetView, listRuns, resume, runOf, stop } from "./runs.ts";
export { type FleetInput, planRun, startRun } from "./start-run.ts";
