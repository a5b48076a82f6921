export { commandModules } from "./all.ts";
