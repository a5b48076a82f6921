import type { Outcome } from "../../firmware-adapters/index.ts";

/** What the outcome of an exchange is compared with. */
export type Truth =
  /** A change from old to new, and which of the two the device takes now. */
  | {
      readonly kind: "change";
      readonly live: readonly ("old" | "new")[];
      /** It has two steps, between which the device takes neither. */
      readonly inSteps?: boolean;
    }
  /** Something that changes nothing, with a secret that is right or wrong. */
  | { readonly kind: "proof"; readonly right: boolean };

/** Why an outcome's class is wrong, or null. The network was cut; the secrets were what the truth says. */
export function wrongClass(outcome: Pick<Outcome, "kind" | "mayHaveSpentAttempt">, truth: Truth): string | null {
  const { kind } = outcome;
  if (truth.kind === "proof") {
    if (truth.right) return kind.startsWith("REJECTED") ? `${kind} although the secret is right` : null;
    return kind === "OK" ? "OK although the secret is wrong" : null;
  }
  // Nothing was wrong but the network: a refusal would be made up.
  if (kind.startsWith("REJECTED")) return `${kind} although nothing was refused`;
  if (truth.live.length === 0 && truth.inSteps === true && kind === "AMBIGUOUS") return null;
  if (truth.live.length !== 1) return `${truth.live.length} of the two passwords work`;
  if (kind === "OK" && truth.live[0] !== "new") return "OK although the old one is live";
  if (kind === "NOT_SENT" && truth.live[0] !== "old") return "NOT_SENT although the new one is live";
  return null;
}

/** Bugs that a cutter exists to find: each makes an honest outcome into what such an adapter would say. */
export const plantedBugs: Readonly<Record<string, (outcome: Outcome) => Pick<Outcome, "kind" | "mayHaveSpentAttempt">>> = {
  "a timeout taken as a failure": (outcome) => (outcome.kind === "AMBIGUOUS" ? { ...outcome, kind: "NOT_SENT" } : outcome),
  "a network error taken as a wrong password": (outcome) =>
    outcome.kind === "AMBIGUOUS" || outcome.kind === "NOT_SENT" ? { ...outcome, kind: "REJECTED_AUTH" } : outcome,
  "a lost answer taken as success": (outcome) => (outcome.kind === "AMBIGUOUS" ? { ...outcome, kind: "OK" } : outcome),
};
