import type { AuthenticationType, AuthHandlerMiddleware, NextAuthHandler, Prompt } from "ssh2";
import type { LoginFailure } from "./login-failure.ts";

export interface MethodsOptions {
  readonly username: string;
  readonly password: string;
  /** A line that says that the password must be changed. */
  isExpired(line: string): boolean;
  fail(failure: LoginFailure): void;
}

/**
 * Chooses how to log in: asks the device for its methods, then sends the password once, by one method. RFC 4252 section 5.2
 * has `none` for the question, which costs no attempt.
 */
export class LoginMethods {
  readonly #options: MethodsOptions;
  readonly #allowed = Promise.withResolvers<void>();
  #asked = false;
  #tried = false;
  /** The password has left. */
  secretSent = false;

  constructor(options: MethodsOptions) {
    this.#options = options;
  }

  /** Nothing is sent before this: the host key has to be looked at first. */
  allow(): void {
    this.#allowed.resolve();
  }

  /** ssh2's `authHandler`; it comes again after each refusal. */
  readonly choose: AuthHandlerMiddleware = (left, partial, next) => {
    void this.#allowed.promise.then(() => this.#choose(left ?? [], partial === true, next));
  };

  #choose(left: readonly AuthenticationType[], partial: boolean, next: NextAuthHandler): void {
    const { username, password, fail } = this.#options;
    if (!this.#asked) {
      this.#asked = true;
      return next({ type: "none", username });
    }
    if (this.#tried) {
      if (partial) return fail({ kind: this.secretSent ? "partial" : "odd prompt" });
      return fail({ kind: this.secretSent ? "refused" : "no method" });
    }
    this.#tried = true;
    if (left.includes("password")) {
      this.secretSent = true;
      return next({ type: "password", username, password });
    }
    if (!left.includes("keyboard-interactive")) return fail({ kind: "no method" });
    next({
      type: "keyboard-interactive",
      username,
      prompt: (_name, instructions, _language, prompts, finish) => this.#answer(instructions, prompts, finish),
    });
  }

  /** One hidden prompt is for the password. Whatever is asked after it is not for us to guess. */
  #answer(instructions: string, prompts: readonly Prompt[], finish: (answers: string[]) => void): void {
    const { password, fail, isExpired } = this.#options;
    if (this.secretSent) {
      const lines = [instructions, ...prompts.map(({ prompt }) => prompt)].flatMap((text) => text.split(/[\r\n]+/));
      return fail({ kind: lines.some(isExpired) ? "expired" : "no answer" });
    }
    if (prompts.length !== 1 || prompts[0]?.echo === true) return fail({ kind: "odd prompt" });
    this.secretSent = true;
    finish([password]);
  }
}
