export * from "./machine.ts";
export * from "./seams.ts";
