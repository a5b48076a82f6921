// Loaded before an edge of the crash rig: after a restart a value that was to be sent is reported as proven, without a login. Nothing but a
// kill between the intent and the change shows it.
import { registerHooks } from "node:module";

const right = 'return state.phase === "SENT" ? beginProbe(idle, {}) : { state: idle, effects: [] };';
const wrong = `const { next, candidates, history } = idle;
  if (state.phase !== "SENT" || next === null) return { state: idle, effects: [] };
  const live = candidates.filter(({ ref }) => ref === next);
  const older = candidates.filter(({ ref }) => ref !== next);
  const settled = { next: null, current: next, candidates: live, history: [...older, ...history], pushes: 0, prepared: null };
  return {
    state: { ...idle, ...settled, phase: "VERIFIED", unacknowledged: live[0]?.index ?? null },
    effects: [
      { kind: "leaf", action: "rotation.verified", ref: next },
      { kind: "report", report: "verified", ref: next, code: null },
    ],
  };`;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith("/protocol/rotation/interrupting.ts")) return loaded;
    const text = String(loaded.source);
    if (!text.includes(right)) throw new Error("the code has changed: the bug cannot be planted");
    return { ...loaded, source: text.replace(right, () => wrong) };
  },
});
