import {
  type DeviceJob,
  type Operation,
  type Outcome,
  ok,
  rejectedAuth,
  rejectedPolicy,
} from "../../firmware-adapters/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import type { TestTime } from "./test-time.ts";

/** What the device, or the way to it, does with one exchange instead of answering plainly. */
export type Trick = "reply lost" | "lost" | "unreachable" | "late" | "refuse value" | "forget identity" | "never";

/** A device with one password, that keeps only what was saved. */
export class TestDevice {
  live = "old";
  saved = "old";
  late: string | null = null;
  identity = "serial-1";
  failures = 0;
  /** One trick for each coming exchange of an operation. */
  readonly tricks: { op: Operation; trick: Trick }[] = [];
  readonly seen: string[] = [];
  readonly refusesValues = new Set<string>();
  /** How long each exchange takes until the device sees it. */
  delayMs = 0;
  /** When a login was refused, since boot. */
  readonly refusedAt: number[] = [];
  readonly #stuck: (() => void)[] = [];

  /** What an adapter host does when it is closed: exchanges that hang end without an answer. */
  async close(): Promise<void> {
    for (const end of this.#stuck.splice(0)) end();
  }

  async run(_adapter: string, op: Operation, job: DeviceJob, time?: TestTime): Promise<Outcome> {
    if (this.delayMs > 0 && time !== undefined)
      await new Promise<void>((resolve) => time.timers.after(this.delayMs, () => resolve()));
    const at = this.tricks.findIndex((each) => each.op === op);
    const trick = at < 0 ? null : (this.tricks.splice(at, 1)[0]?.trick ?? null);
    const current = text(job.secrets.current);
    this.seen.push(`${op} ${current}`);
    const unanswered: Outcome = {
      kind: "AMBIGUOUS",
      code: "DEVICE_NO_ANSWER",
      detail: "",
      mayHaveSpentAttempt: true,
      prepareAgain: false,
    };
    if (trick === "never") return new Promise((resolve) => this.#stuck.push(() => resolve(unanswered)));
    if (trick === "unreachable")
      return { ...unanswered, kind: "NOT_SENT", code: "DEVICE_UNREACHABLE", mayHaveSpentAttempt: false };
    if (trick === "lost") return unanswered;
    if (job.identity !== null && job.identity !== this.identity) {
      return { ...unanswered, kind: "NOT_SENT", code: "DEVICE_IDENTITY_CHANGED", mayHaveSpentAttempt: false };
    }
    const outcome = this.#answer(op, job, current, trick);
    if (outcome.kind === "REJECTED_AUTH" && time !== undefined) this.refusedAt.push(time.sinceBootMs);
    return trick === "reply lost" || trick === "late" ? unanswered : outcome;
  }

  #answer(op: Operation, job: DeviceJob, current: string, trick: Trick | null): Outcome {
    if (current !== this.live) {
      this.failures += 1;
      return rejectedAuth("DEVICE_SECRET_REFUSED", "");
    }
    const next = job.secrets.next === null ? "" : text(job.secrets.next);
    if (op === "prepare") return ok({ state: utf8(`request ${next}`), identity: this.identity });
    if (op === "save" && trick === "refuse value") return rejectedPolicy("DEVICE_VALUE_REFUSED", "");
    if (op === "save") this.saved = this.live;
    if (op !== "push") return ok({ identity: this.identity });
    if (trick === "refuse value" || this.refusesValues.has(next)) return rejectedPolicy("DEVICE_VALUE_REFUSED", "");
    if (trick === "late") this.late = next;
    else this.live = next;
    return ok({ identity: this.identity });
  }

  reboot(): void {
    this.live = this.saved;
  }
}

function text(fields: Readonly<Record<string, Uint8Array>>): string {
  return Buffer.from(fields["password"] ?? []).toString();
}
