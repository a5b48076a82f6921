import type { Stats } from "node:fs";
import { Secret } from "../../protocol/base/index.ts";
import { CliError } from "./exit.ts";
import { readLimited } from "./read-limited.ts";

/** Longest secret taken from a prompt, a file or standard input, bytes: an enrolment code or a key file fits many times. */
const maxSecretBytes = 16 * 1024;

/** What an editor or `echo` puts behind it. */
const maxLineEndBytes = 2;

export interface SecretSource {
  /** What the prompt asks for, without the colon. */
  readonly label: string;
  /** The options that give it, where they are not --from-file and --from-stdin. */
  readonly options?: string;
  readonly fromFile?: string | undefined;
  /** Judges the file that it is in, by what is open; throws what it is refused with. */
  readonly judge?: ((path: string, status: Stats) => void) | undefined;
  readonly fromStdin?: boolean | undefined;
  /** Ask twice and compare: for a new secret. */
  readonly confirm?: boolean;
}

/** The terminal a prompt talks to. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly prompt: NodeJS.WriteStream;
}

/** Takes a secret from a file, standard input or a prompt without echo; never from arguments or the environment. */
export async function readSecret(source: SecretSource, terminal: Terminal): Promise<Secret> {
  const { fromFile, judge = () => {} } = source;
  if (fromFile !== undefined) {
    return trimmed(readLimited(fromFile, maxSecretBytes + maxLineEndBytes, (status) => judge(fromFile, status)));
  }
  if (source.fromStdin) return fromStream(terminal.input);
  if (!terminal.input.isTTY) {
    throw new CliError("CLI_NO_SECRET", `no terminal to ask for the ${source.label}`, {
      hint: `Give it with ${source.options ?? "--from-file FILE or --from-stdin"}.`,
    });
  }
  const first = await promptHidden(`${source.label}: `, terminal);
  if (!source.confirm) return first;
  const second = await promptHidden(`${source.label} again: `, terminal);
  const same = first.equals(second);
  second.wipe();
  if (same) return first;
  first.wipe();
  throw new CliError("CLI_NO_SECRET", `the two entries of the ${source.label} differ`);
}

async function fromStream(input: NodeJS.ReadStream): Promise<Secret> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of input) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > maxSecretBytes) throw new CliError("CLI_NO_SECRET", `standard input holds more than ${maxSecretBytes} bytes`);
    chunks.push(bytes);
  }
  const whole = Buffer.concat(chunks);
  for (const chunk of chunks) chunk.fill(0);
  return trimmed(whole);
}

/** Without the line end that an editor or `echo` puts behind it. Wipes `bytes`. */
function trimmed(bytes: Buffer): Secret {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  const secret = new Secret(bytes.subarray(0, end));
  bytes.fill(0);
  if (secret.length === 0 || secret.length > maxSecretBytes) {
    throw new CliError("CLI_NO_SECRET", `a secret has 1 to ${maxSecretBytes} bytes`);
  }
  return secret;
}

const key = { enter: 0x0d, newline: 0x0a, interrupt: 0x03, end: 0x04, backspace: 0x7f, erase: 0x08 } as const;

function promptHidden(question: string, { input, prompt }: Terminal): Promise<Secret> {
  prompt.write(question);
  input.setRawMode(true);
  input.resume();
  return new Promise((resolve, reject) => {
    const typed: number[] = [];
    const finish = (settle: () => void): void => {
      input.off("data", take);
      input.setRawMode(false);
      input.pause();
      prompt.write("\n");
      settle();
    };
    const take = (chunk: Buffer): void => {
      for (const byte of chunk) {
        if (byte === key.interrupt) return finish(() => reject(new CliError("CLI_NO_SECRET", "interrupted")));
        if (byte === key.enter || byte === key.newline || byte === key.end) {
          const bytes = Buffer.from(typed);
          typed.fill(0);
          return finish(() => {
            try {
              resolve(trimmed(bytes));
            } catch (error) {
              reject(error);
            }
          });
        }
        if (byte === key.backspace || byte === key.erase) typed.pop();
        else if (typed.length < maxSecretBytes) typed.push(byte);
      }
      chunk.fill(0);
    };
    input.on("data", take);
  });
}
