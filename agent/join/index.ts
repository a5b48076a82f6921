export { joinMachine } from "./join-machine.ts";
