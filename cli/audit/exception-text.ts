import type { Leaf } from "../../protocol/audit/index.ts";

/** What happened, for somebody who does not know the names of our actions. */
const words: Readonly<Record<string, string>> = {
  "alarm.raise": "alarm",
  "credential.recover": "the passwords that may be live were shown to a person",
  "credential.show": "the password was shown to a person",
  "device.hold": "held by a person",
  "order.accept": "an order was refused",
  "order.refuse": "an order was refused",
  "rotation.held": "a change was held back",
  "rotation.rejected": "the device refused a new password",
  "rotation.reverted": "an older password came back",
  "rotation.unknown": "the password is not known any more",
};

/** One line about an exception: what, the code or the reason, and which person it was. */
export function exceptionText({ action, outcome, code, details, actor }: Leaf): string {
  const says = words[action] ?? `${action} ${outcome}`;
  const why = code ?? (typeof details["reason"] === "string" ? details["reason"] : null);
  const by = actor.kind === "operator" || actor.kind === "person" ? ` by ${actor.kind} ${actor.id}` : "";
  return `${says}${by}${why === null ? "" : `: ${why}`}`;
}
