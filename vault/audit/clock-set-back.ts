import { AuditError, decodeLeaf } from "../../protocol/audit/index.ts";

/** How far a clock that is set by a little goes back, ms. */
const clockSlackMs = 60_000;

/** Where the clock says `nowMs` and the newest entry was written later: what it says, and what it had said. */
export function clockSetBackSince(newest: Uint8Array, nowMs: number): { readonly lo: number; readonly wasLo: number } | null {
  try {
    const [wasLo] = decodeLeaf(newest).time;
    return nowMs + clockSlackMs < wasLo ? { lo: nowMs, wasLo } : null;
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    // An entry that somebody changed tells no time; to find it is what `audit verify` is for, and no reason not to start.
    return null;
  }
}
