import { epochEveryMs, storeStorage } from "../../../agent/audit/index.ts";
import { type Anchor, originOf, verifyLog } from "../../../protocol/audit/index.ts";
import { importVerifyKey } from "../../../protocol/keys/index.ts";
import { sampleSigner } from "../../protocol/sample-vault.ts";
import { diceOf } from "../../support/dice.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { fill, ManualTime, node, openRig, read, rotated } from "./rig.ts";

/** What came of honest logs whose node crashed again and again. */
export interface CrashHistories {
  readonly histories: number;
  crashes: number;
  epochs: number;
  /** What a verifier said against a log that nobody touched. */
  readonly alarms: string[];
}

/** Where a process can die around an append, a checkpoint and a change of epoch. */
const points = ["audit.before-checkpoint", "audit.before-epoch", "audit.after-checkpoint", "append", "power", null] as const;

/** Runs `count` histories of appends, reads, checkpoints and epochs with crashes among them, each from its number alone, and verifies each log after each crash. */
export function crashHistories(count: number): CrashHistories {
  const told: CrashHistories = { histories: count, crashes: 0, epochs: 0, alarms: [] };
  for (let number = 0; number < count; number += 1) runHistory(number, told);
  return told;
}

function runHistory(number: number, told: CrashHistories): void {
  const dice = diceOf(number);
  const time = new ManualTime();
  const anchors: Anchor[] = [];
  let store = new MemoryStore();
  const lives = 2 + dice(4);
  for (let life = 0; life < lives; life += 1) {
    const point = points[dice(points.length)] ?? null;
    const dying = { at: point, in: 1 + dice(6) };
    const died = live(store, { dice, time, dying, anchors });
    // Reads of the last moments may be lost with the power; what was acknowledged never is.
    store = point === "power" ? store.reopenAfterPowerCut() : store.reopen();
    if (died) told.crashes += 1;
    judge(store, { anchors, crashed: true, name: `history ${number}, life ${life}, crash at ${point}`, told });
  }
  const { log } = openRig({ store, time, random: (length) => Uint8Array.from({ length }, () => dice(256)) });
  log.checkpoint();
  judge(store, { anchors, crashed: false, name: `history ${number}, running again`, told });
  told.epochs += finalsOf(store).length;
}

interface Life {
  readonly dice: (sides: number) => number;
  readonly time: ManualTime;
  readonly dying: { readonly at: (typeof points)[number]; in: number };
  readonly anchors: Anchor[];
}

class Crash extends Error {}

/** One run of the process until it dies, or stops as it should; true where it died. */
function live(store: MemoryStore, { dice, time, dying, anchors }: Life): boolean {
  let isDead = false;
  const failpoint = (name: string): void => {
    if (isDead) throw new Crash();
    if (name !== dying.at || --dying.in > 0) return;
    isDead = true;
    throw new Crash();
  };
  const { log } = openRig({ store, time, failpoint, random: (length) => Uint8Array.from({ length }, () => dice(256)) });
  for (let step = 0; step < 8 + dice(12) && !isDead; step += 1) {
    const what = dice(6);
    if (what < 2) fill(store, log, 1 + dice(60));
    else if (what === 2) log.noteRead(read(`line-4/plc-${dice(5)}/admin`));
    else if (what === 3) time.pass(dice(2) === 0 ? 500 : 61_000);
    else if (what === 4) time.pass(epochEveryMs / 2);
    else if (dice(3) === 0) void log.sealEpoch([rotated(step)]);
    else {
      // Somebody else heard of it: only what is durable is told.
      store.sync();
      anchors.push({ ...log.head(), origin: originOf(log.name), source: `the anchor of step ${step}` });
    }
    if ((dying.at === "append" || dying.at === "power") && --dying.in <= 0) return true;
  }
  if (!isDead && dying.at === null) void log.close();
  return isDead;
}

function judge(
  store: MemoryStore,
  about: { anchors: readonly Anchor[]; crashed: boolean; name: string; told: CrashHistories },
): void {
  const { anchors, crashed, name, told } = about;
  const { findings } = verifyLog({
    ...contentOf(store),
    hashes: new Uint8Array(0),
    member: {
      trustDomain: "plant.example",
      node,
      logKey: importVerifyKey(sampleSigner(33).publicKey),
      epochKey: importVerifyKey(sampleSigner(34).publicKey),
    },
    anchors,
  });
  // Between a crash and the next start the newest entries may be unsealed, and a verifier has to say so.
  const alarms = findings.filter(({ code }) => !(crashed && code === "UNSEALED-TAIL"));
  for (const { code, says } of alarms) told.alarms.push(`${name}: ${code}, ${says}`);
}

function contentOf(store: MemoryStore): { leaves: Uint8Array[]; checkpoints: Uint8Array[] } {
  return store.read((view) => {
    const reading = storeStorage(0).read(view);
    const checkpoint = reading.mark("checkpoint");
    const leaves = reading.leaves(0, Number.MAX_SAFE_INTEGER);
    return { leaves, checkpoints: [...finalsOf(store), ...(checkpoint === null ? [] : [checkpoint])] };
  });
}

function finalsOf(store: MemoryStore): Uint8Array[] {
  return store.read((view) => {
    const reading = storeStorage(0).read(view);
    const finals: Uint8Array[] = [];
    for (let note = reading.mark("final/0"); note !== null; note = reading.mark(`final/${finals.length}`)) finals.push(note);
    return finals;
  });
}
