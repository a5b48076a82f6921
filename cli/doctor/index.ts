export { type Examined, examine } from "./examine.ts";
export type { Finding } from "./finding.ts";
export { type MachineFacts, machineFacts } from "./machine-facts.ts";
