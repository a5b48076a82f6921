import type { Options } from "./device-world.ts";
import type { SystemOptions } from "./system-world.ts";

/** A world to explore, by what is special about it. */
export interface NamedWorld {
  readonly title: string;
  readonly options: Options;
}

/** Small enough to be visited whole in every run of the tests. */
export const smallWorlds: readonly NamedWorld[] = [
  { title: "a device that locks out at three", options: {} },
  { title: "a device whose change depends on the old value", options: { delta: true } },
  { title: "a device that refuses the first value", options: { refuses: [1] } },
  { title: "a device that refuses both values", options: { refuses: [1, 2] } },
  { title: "a device for which the first value cannot be written", options: { unfit: [1], values: 1 } },
  { title: "a device that refuses to store its change", options: { keepsNot: true, values: 1 } },
  { title: "a device that denies what it carried out", options: { lies: true, values: 1 } },
  { title: "a device that comes back with its first configuration", options: { resets: true, values: 1 } },
  { title: "an edge whose store comes back from a backup", options: { restores: true, values: 1 } },
  { title: "a device that a person changes, and a vault that is told so, rightly or not", options: { gives: true, values: 1 } },
  {
    title: "a device that a person changes, and that another of its accounts sets anew",
    options: { gives: true, reconciles: true, values: 1, prompt: true },
  },
  { title: "an account that is held and released", options: { holds: true, values: 1 } },
  { title: "a window that opens and closes", options: { closes: true, values: 1 } },
  { title: "an account that was only adopted", options: { policy: "never" } },
  {
    title: "an account that was only adopted, on a device that a person changes and that is reset",
    options: { policy: "never", gives: true, resets: true, values: 1 },
  },
];

const maxStates = 3_000_000;

/** Each small world with everything else that may go wrong in it. */
export const largeWorlds: readonly NamedWorld[] = [
  { title: "a device that locks out at five", options: { threshold: 5, maxStates } },
  { title: "a device that denies what it carried out, with both values", options: { lies: true, maxStates } },
  { title: "a device that is reset, with both values", options: { resets: true, maxStates } },
  { title: "a restored store, with both values", options: { restores: true, maxStates } },
  { title: "a restored store and a reset device", options: { restores: true, resets: true, values: 1, maxStates } },
  { title: "a person, with both values", options: { gives: true, maxStates } },
  { title: "a person and a reset device", options: { gives: true, resets: true, values: 1, maxStates } },
  {
    title: "a person, and another account that sets it anew late",
    options: { gives: true, reconciles: true, values: 1, maxStates },
  },
  {
    title: "a person, a reset device, and another account that sets it anew",
    options: { gives: true, reconciles: true, resets: true, values: 1, prompt: true, maxStates },
  },
  { title: "a window that opens and closes, with both values", options: { closes: true, maxStates } },
  { title: "a window and a device that is reset", options: { closes: true, resets: true, values: 1, maxStates } },
  { title: "a person, and an account that is held", options: { gives: true, holds: true, values: 1, prompt: true, maxStates } },
  { title: "a held account, with both values", options: { holds: true, maxStates } },
];

/** A world of vault, medium, edge and device together. */
export interface NamedSystem {
  readonly title: string;
  readonly options: SystemOptions;
}

/** Vault, medium, edge and device; every bundle and report may be lost, doubled, reordered and replayed, and the vault may crash. */
export const smallSystems: readonly NamedSystem[] = [
  { title: "vault and edge", options: { values: 1 } },
  { title: "an edge that dies, and another in its place", options: { values: 1, edgeDies: true } },
  { title: "a vault that dies, and its copy", options: { values: 1, vaultFailsOver: true } },
];

/** The same with more that may go wrong. */
export const largeSystems: readonly NamedSystem[] = [
  { title: "vault and edge, with both values", options: { values: 2, maxStates } },
  {
    title: "a vault that dies, and an edge that dies",
    options: { values: 1, vaultFailsOver: true, edgeDies: true, maxStates },
  },
  { title: "an edge that dies while a change may land late", options: { values: 1, edgeDies: true, late: true, maxStates } },
  { title: "a vault restored from its backup", options: { values: 1, vaultRestored: true, maxStates } },
];
