export { counted } from "./counted.ts";
export { CLI_CODES, CliError, exitCodeOf } from "./exit.ts";
export { type CommandModule, createFrame, endWithOutput, exitCodes, type Frame, fail, notAvailable } from "./frame.ts";
export { hintOf } from "./hints.ts";
export {
  creatingUnlock,
  dataPath,
  givenUnlock,
  newDataFolder,
  openingUnlock,
  type UnlockOptions,
  withData,
  withUnlock,
} from "./node-options.ts";
export { type Output, table } from "./output.ts";
export type { Progress } from "./progress.ts";
export { readLimited } from "./read-limited.ts";
export { writeSecretFile } from "./secret-file.ts";
export type { SecretSource } from "./secrets.ts";
export { keepTickShape } from "./tick-shape.ts";
export { wholeNumber } from "./whole-number.ts";
