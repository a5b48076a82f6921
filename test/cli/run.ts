import { commandModules } from "../../cli/commands/index.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { createProgram, runProgram } from "../../cli/program.ts";
import { Secret } from "../../protocol/base/index.ts";

/** What a command said, and its exit code. */
export interface Told {
  stdout: string;
  stderr: string;
  exit: number;
}

/** Runs the command line in this process; secrets that it asks for come from `secrets`, by label. */
export async function run(
  words: readonly string[],
  more: { secrets?: Record<string, string>; stop?: Promise<string>; told?: Told } = {},
): Promise<Told> {
  const told: Told = more.told ?? { stdout: "", stderr: "", exit: 0 };
  const write = (stream: "stdout" | "stderr") => ({
    write(text: string) {
      told[stream] += text;
    },
  });
  const frame: Frame = {
    output: createOutput(words.includes("--json"), { stdout: write("stdout"), stderr: write("stderr") }),
    environment: { home: "/nowhere" },
    isTerminal: false,
    colours: false,
    async secret({ label }) {
      const text = more.secrets?.[label];
      if (text === undefined) throw new Error(`asked for ${label}`);
      return Secret.fromText(text);
    },
    progress: () => ({ update: () => {}, end: () => {} }),
    exit(code) {
      told.exit = code;
    },
    untilStopped: () => more.stop ?? new Promise(() => {}),
  };
  await runProgram(createProgram(frame, commandModules, "0.0.0"), ["node", "tidegate", ...words]);
  return told;
}
