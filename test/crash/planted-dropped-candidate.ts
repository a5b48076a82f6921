// Loaded before an edge of the crash rig: after a restart a value that was sent is taken for one that failed, and forgotten. Nothing but a
// kill shows it.
import { registerHooks } from "node:module";

const right = 'return state.phase === "SENT" ? beginProbe(idle, {}) : { state: idle, effects: [] };';
const wrong = `if (state.phase !== "SENT") return { state: idle, effects: [] };
  const candidates = idle.candidates.filter(({ ref }) => ref !== state.next);
  return { state: { ...idle, phase: "IDLE", candidates, next: null, pushes: 0, prepared: null }, effects: [] };`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/protocol/rotation/interrupting.ts")) return loaded;
    const text = String(loaded.source);
    if (!text.includes(right)) throw new Error("the code has changed: the bug cannot be planted");
    return { ...loaded, source: text.replace(right, wrong) };
  },
});
