import type { ClientChannel } from "ssh2";
import type { SshCommand } from "../models/index.ts";
import { matches } from "./pattern.ts";
import type { SshSession } from "./ssh-session.ts";
import { Transcript } from "./transcript.ts";

/** How a command ended. */
export type CommandEnd =
  /** It was not begun, or whether it was is not known. */
  | { readonly kind: "not started" }
  /** The device closed the command's channel; `status` is null where it told none. */
  | { readonly kind: "exit"; readonly status: number | null }
  /** The connection went. */
  | { readonly kind: "lost" }
  | { readonly kind: "silent" }
  /** It printed more than anything that is foreseen. */
  | { readonly kind: "flooded" };

/** One command on its channel, and what it printed. */
export class CommandRun {
  readonly #session: SshSession;
  readonly #channel: ClientChannel;
  readonly #timeoutMs: number;
  readonly transcript = new Transcript();
  #status: number | null = null;
  #end: CommandEnd | null = null;
  #news = Promise.withResolvers<void>();

  private constructor(session: SshSession, channel: ClientChannel, timeoutMs: number) {
    this.#session = session;
    this.#channel = channel;
    this.#timeoutMs = timeoutMs;
    const read = (chunk: Buffer) => {
      if (!this.transcript.add(chunk)) this.#finish({ kind: "flooded" });
      this.#tell();
    };
    channel.on("data", read);
    channel.stderr.on("data", read);
    channel.on("exit", (code: number | null) => {
      // By a signal there is no code; 128 stands for it, as it does in a shell.
      this.#status = typeof code === "number" ? code : 128;
    });
    channel.on("error", () => {});
    channel.once("close", () => {
      const told = this.#status !== null || session.open;
      this.#finish(told ? { kind: "exit", status: this.#status } : { kind: "lost" });
    });
  }

  /** Starts `command`, with a terminal where it asks on one; null where that did not work. */
  static start(
    session: SshSession,
    command: string,
    options: { readonly terminal: boolean; readonly timeoutMs: number },
  ): Promise<CommandRun | null> {
    return session.start(command, options, (channel) => new CommandRun(session, channel, options.timeoutMs));
  }

  /** Set once the command has ended. */
  get end(): CommandEnd | null {
    return this.#end;
  }

  /** Types `text` into the command. */
  write(text: string): void {
    if (this.#end === null && this.#session.open) this.#channel.write(text);
  }

  /** Ends the command's input. */
  endInput(): void {
    if (this.#end === null && this.#session.open) this.#channel.end();
  }

  /** Resolves with the next output or the end, or ends the run as silent. */
  async news(): Promise<void> {
    const timer = setTimeout(() => {
      this.#finish(this.#status === null ? { kind: "silent" } : { kind: "exit", status: this.#status });
    }, this.#timeoutMs);
    await this.#news.promise;
    clearTimeout(timer);
    this.#news = Promise.withResolvers();
    if (this.#end !== null) this.#news.resolve();
  }

  /** Waits for the end. */
  async finished(): Promise<CommandEnd> {
    for (;;) {
      if (this.#end !== null) return this.#end;
      await this.news();
    }
  }

  #finish(end: CommandEnd): void {
    this.#end ??= end;
    this.#tell();
  }

  #tell(): void {
    this.#news.resolve();
  }
}

/** True where a command's end is the success that its model describes. */
export function succeeded(end: CommandEnd, { expect }: Pick<SshCommand, "expect">, lines: readonly string[]): boolean {
  if (end.kind !== "exit") return false;
  const seen = expect !== null && lines.some((line) => matches(expect, line));
  return end.status === null ? seen : end.status === 0 && (expect === null || seen);
}
