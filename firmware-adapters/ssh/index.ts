export { sshAdapter } from "./ssh-adapter.ts";
