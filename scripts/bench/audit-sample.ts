import type { AuditEvent } from "../../protocol/audit/index.ts";
import { nodeIdText, signingKeyFromSeed } from "../../protocol/keys/index.ts";

/** 32 bytes, the same in each run. */
export const seed = (byte: number) => new Uint8Array(32).fill(byte);
/** Keys of the log that is measured. */
export const keys = {
  root: signingKeyFromSeed(seed(1)),
  node: signingKeyFromSeed(seed(2)),
  log: signingKeyFromSeed(seed(3)),
  epoch: signingKeyFromSeed(seed(4)),
};
export const node = nodeIdText(keys.node.keyId);
export const name = { trustDomain: "bench.tidegate", node, serial: 0 };

/** A read by an application, some 430 bytes as a leaf. */
export function eventAt(number: number): AuditEvent {
  return {
    action: "credential.read",
    actor: { kind: "application", id: "historian-of-hall-4" },
    subject: { kind: "account", id: `hall-4/plc-${number % 1000}/admin` },
    outcome: "ok",
    details: { count: 1 + (number % 90), spanMs: 80, stale: false, version: `1.${number % 50}` },
  };
}
