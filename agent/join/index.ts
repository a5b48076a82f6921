export { joinMachine } from "./join-machine.ts";
export { rekeyMachine } from "./rekey-machine.ts";
