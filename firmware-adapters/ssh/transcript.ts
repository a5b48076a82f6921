import { maxOutputLength } from "./limits.ts";

/** ECMA-48 control sequences, which some gear sends whatever terminal it was told of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what they begin with
const controlSequence = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;

/** What a device printed since the last {@link Transcript.mark}, up to a limit. Never shown to anybody: it may hold a secret. */
export class Transcript {
  readonly #decoder = new TextDecoder();
  #text = "";
  #taken = 0;

  /** False where the device has said more than anything that is foreseen. */
  add(bytes: Uint8Array): boolean {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    this.#taken += bytes.length;
    return this.#taken <= maxOutputLength;
  }

  /** Forgets what was said so far. */
  mark(): void {
    this.#text = "";
  }

  /** The finished lines, and last what stands on the line that is not finished. */
  lines(): readonly string[] {
    return this.#text.replace(controlSequence, "").split(/[\r\n]+/);
  }
}
