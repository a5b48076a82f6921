import type { TunnelCode } from "./errors.ts";

/** Why a side closes, as it tells the other. Hints for people: nothing is erased or believed because of them. */
export const closeReason = {
  stopping: 0,
  sessionEnded: 1,
  superseded: 2,
  malformed: 3,
  tooLarge: 4,
  version: 5,
  wrongVault: 6,
  wrongPeer: 7,
  mode: 8,
  /** Member, revocation, signature or TLS key: not told apart. */
  notTrusted: 9,
  frame: 10,
  unexpected: 11,
  credit: 12,
  silent: 13,
  notAdmitted: 14,
  busy: 15,
  failed: 16,
} as const;

/** Largest number that a close frame may carry. */
export const maxCloseReason = 999;

const byCode: Readonly<Record<string, number>> = {
  TUNNEL_CLOSED: closeReason.stopping,
  TUNNEL_SESSION_ENDED: closeReason.sessionEnded,
  TUNNEL_SUPERSEDED: closeReason.superseded,
  TUNNEL_MALFORMED: closeReason.malformed,
  TUNNEL_TOO_LARGE: closeReason.tooLarge,
  TUNNEL_VERSION: closeReason.version,
  TUNNEL_WRONG_VAULT: closeReason.wrongVault,
  TUNNEL_WRONG_PEER: closeReason.wrongPeer,
  TUNNEL_MODE_MISMATCH: closeReason.mode,
  TUNNEL_FRAME_FORGED: closeReason.frame,
  TUNNEL_FRAME_ORDER: closeReason.frame,
  TUNNEL_UNEXPECTED: closeReason.unexpected,
  COURIER_CREDIT: closeReason.credit,
  COURIER_MALFORMED: closeReason.malformed,
  COURIER_ORDER: closeReason.unexpected,
  COURIER_UNEXPECTED: closeReason.unexpected,
  TUNNEL_HANDSHAKE_TIMEOUT: closeReason.silent,
  TUNNEL_PEER_SILENT: closeReason.silent,
  TUNNEL_NOT_ADMITTED: closeReason.notAdmitted,
  TUNNEL_FLOOD: closeReason.busy,
};

/** Codes of the handshake's judgement, which are not told apart. */
const aboutTrust = /^(TUNNEL|TRUST|ENVELOPE|KEY)_/;

/** The number told to the peer for one of our codes; what is neither listed nor about trust is our own store's. */
export function reasonOfCode(code: string): number {
  return byCode[code] ?? (aboutTrust.test(code) ? closeReason.notTrusted : closeReason.failed);
}

/** Our code for a reason that the peer gave. */
export function codeOfReason(reason: number): TunnelCode {
  if (reason === closeReason.stopping) return "TUNNEL_CLOSED";
  if (reason === closeReason.sessionEnded) return "TUNNEL_SESSION_ENDED";
  if (reason === closeReason.superseded) return "TUNNEL_SUPERSEDED";
  return "TUNNEL_REFUSED_BY_PEER";
}
