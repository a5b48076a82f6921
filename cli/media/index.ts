export { loginName } from "./login.ts";
export { identifyMedium } from "./medium.ts";
export { runInspect, runningFolder, runRead, runWrite } from "./run.ts";
