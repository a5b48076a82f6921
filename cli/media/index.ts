export { runInspect, runRead, runWrite } from "./run.ts";
