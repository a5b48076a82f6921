export { SplitSecret } from "./split-secret.ts";
