import { ambiguous, type DeviceCode, notSent, type Outcome, ok, rejectedAuth, rejectedPolicy } from "../contract/index.ts";
import type { SshChange, SshMeaning } from "../models/index.ts";
import { type CommandRun, succeeded } from "./command-run.ts";
import { matches, matchesAny } from "./pattern.ts";

/** What is typed where the model says `current` and `next`. */
export interface ChangeSecrets {
  readonly username: string;
  readonly current: string;
  readonly next: string;
}

/**
 * Carries a change out in a command that has been started. Up to the moment in which the new value is typed nothing can have
 * changed; from then on only the device's own, foreseen words are an answer.
 */
export class PasswordChange {
  readonly #run: CommandRun;
  readonly #change: SshChange;
  readonly #secrets: ChangeSecrets;
  readonly #identity: string;
  readonly #lines: string[] = [];
  #nextSent = false;
  /** What the device's first foreseen words since the last prompt mean. */
  #meaning: SshMeaning | null = null;

  constructor(run: CommandRun, change: SshChange, secrets: ChangeSecrets, identity: string) {
    this.#run = run;
    this.#change = change;
    this.#secrets = secrets;
    this.#identity = identity;
  }

  /** Answers the prompts, or writes the line, and judges how it ended. */
  async carryOut(): Promise<Outcome> {
    const { stdin, prompts } = this.#change;
    if (stdin !== null) {
      this.#nextSent = true;
      this.#run.write(`${filledIn(stdin, this.#secrets)}\n`);
      this.#run.endInput();
    } else {
      for (const [index] of prompts.entries()) {
        const stopped = await this.#answer(index);
        if (stopped !== null) return stopped;
      }
    }
    return this.#awaitEnd();
  }

  /** Waits for a prompt and answers it; an outcome where something else comes. */
  async #answer(index: number): Promise<Outcome | null> {
    const prompt = this.#change.prompts[index];
    for (;;) {
      const line = this.#run.transcript.lines().at(-1) ?? "";
      if (prompt !== undefined && matchesAny(prompt.expect, line)) {
        this.#takeLines();
        // Whatever was said before, the device went on: that was a warning.
        this.#meaning = null;
        this.#nextSent ||= prompt.send === "next";
        this.#run.write(`${this.#secrets[prompt.send]}\n`);
        return null;
      }
      if (this.#asksAgain(index, line)) return this.#askedAgain();
      if (this.#run.end !== null) return this.#awaitEnd();
      await this.#run.news();
    }
  }

  async #awaitEnd(): Promise<Outcome> {
    const last = this.#change.prompts.length;
    for (;;) {
      const line = this.#run.transcript.lines().at(-1) ?? "";
      if (this.#asksAgain(last, line)) return this.#askedAgain();
      if (this.#run.end !== null) break;
      await this.#run.news();
    }
    this.#takeLines();
    const { end } = this.#run;
    if (end === null || end.kind !== "exit") return this.#unknown("DEVICE_REPLY_LOST", `the change: ${end?.kind ?? "no end"}`);
    if (this.#nextSent && succeeded(end, this.#change, this.#lines)) {
      // Refused by its words and done by its status: no answer at all.
      if (this.#meaning !== null) return this.#unknown("DEVICE_ANSWER_UNEXPECTED", "the change: refused and done");
      return ok({ identity: this.#identity });
    }
    return this.#refused(end.status !== null && end.status !== 0, `the change: exit status ${end.status ?? "not told"}`);
  }

  /** A prompt that was answered comes again: the device has not taken what it got. */
  #asksAgain(index: number, line: string): boolean {
    return this.#change.prompts.slice(0, index).some(({ expect }) => matchesAny(expect, line));
  }

  #askedAgain(): Outcome {
    this.#takeLines();
    return this.#refused(true, "the change: asked again");
  }

  /** `sure`: the device said with more than words that it did not do it. */
  #refused(sure: boolean, detail: string): Outcome {
    const meaning = sure ? this.#meaning : null;
    if (meaning === "REJECTED_POLICY") return rejectedPolicy("DEVICE_VALUE_REFUSED", detail);
    if (this.#nextSent) return this.#unknown("DEVICE_ANSWER_UNEXPECTED", detail);
    if (meaning === "REJECTED_AUTH") return rejectedAuth("DEVICE_SECRET_REFUSED", detail);
    return notSent(meaning === "BUSY" ? "DEVICE_BUSY" : "DEVICE_ANSWER_UNEXPECTED", detail);
  }

  /** The login was accepted before, so no attempt is in doubt. */
  #unknown(code: DeviceCode, detail: string): Outcome {
    return this.#nextSent ? ambiguous(code, detail, { spent: false }) : notSent(noReplyYet(code), detail);
  }

  /** Notes what was said, and begins a new page. */
  #takeLines(): void {
    for (const line of this.#run.transcript.lines()) {
      this.#lines.push(line);
      this.#meaning ??= this.#change.answers.find(({ text }) => matches(text, line))?.means ?? null;
    }
    this.#run.transcript.mark();
  }
}

function noReplyYet(code: DeviceCode): DeviceCode {
  return code === "DEVICE_REPLY_LOST" ? "DEVICE_NO_ANSWER" : code;
}

/** In one pass, so that a value that looks like a placeholder stays what it is. */
function filledIn(line: string, { username, next }: ChangeSecrets): string {
  return line.replace(/\{(username|next)\}/g, (_all, name) => (name === "next" ? next : username));
}
