import { decodeLeaf } from "../../protocol/audit/index.ts";

/** How far a clock that is set by a little goes back, ms. */
const clockSlackMs = 60_000;

/** Where the clock says `nowMs` and the newest entry was written later: what it says, and what it had said. */
export function clockSetBackSince(newest: Uint8Array, nowMs: number): { readonly lo: number; readonly wasLo: number } | null {
  const { time } = decodeLeaf(newest);
  const [wasLo] = time;
  return nowMs + clockSlackMs < wasLo ? { lo: nowMs, wasLo } : null;
}
