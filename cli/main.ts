import { chooseProgram } from "./choose-program.ts";

const programs = {
  all: () => import("./all-commands.ts"),
  vault: () => import("./vault-program.ts"),
  gateway: () => import("./gateway-program.ts"),
  edge: () => import("./edge-program.ts"),
};
await programs[chooseProgram(process.argv.slice(2))]();
