import { EventEmitter } from "node:events";
import t from "tap";
import { RemoteError } from "../../agent/admin/index.ts";
import { onlyRun, type RunInput } from "../../cli/add-run.ts";
import { chooseProgram } from "../../cli/choose-program.ts";
import { commandModules } from "../../cli/commands/index.ts";
import { createFrame, endWithOutput, exitCodeOf, exitCodes, fail, hintOf } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { readCredential } from "../../cli/local-api/index.ts";
import { createProgram, usageError } from "../../cli/program.ts";
import { Secret } from "../../protocol/base/index.ts";
import { ROTATION_CODES } from "../../protocol/rotation/index.ts";

const remote = (code: string, hint?: string) =>
  new RemoteError({
    code,
    message: "m",
    fault: "caller",
    retryable: false,
    status: 400,
    ...(hint === undefined ? {} : { hint }),
  });

/** A process as far as its end and its streams go. */
function terminal() {
  let [err, exits] = ["", 0];
  const streams = { stdout: { write: () => {} }, stderr: { write: (text: string) => (err += text) } };
  const process = { stdout: new EventEmitter(), stderr: new EventEmitter(), exitCode: undefined, exit: () => (exits += 1) };
  return { process: process as unknown as NodeJS.Process, streams, err: () => err, exited: () => exits };
}

t.test("what the node finds wrong in what was typed ends as a command that cannot be understood", async (t) => {
  t.equal(exitCodeOf(remote("REQUEST_INVALID")), exitCodes.usage);
  t.equal(exitCodeOf(remote("REQUEST_NO_ROUTE")), exitCodes.refused);
});

t.test("an error without a hint gets the command line's own, one with a hint keeps it", async (t) => {
  const told = { out: "", err: "" };
  const streams = {
    stdout: { write: (text: string) => (told.out += text) },
    stderr: { write: (text: string) => (told.err += text) },
  };
  createOutput(false, streams).error(remote("ROTATION_UNKNOWN"));
  t.match(told.err, /^tidegate: m \(ROTATION_UNKNOWN\)\nhint: .*credential set PATH.*edge retry PATH/);
  told.err = "";
  createOutput(true, streams).error(remote("ROTATION_UNKNOWN", "own"));
  t.same(JSON.parse(told.err), { code: "ROTATION_UNKNOWN", message: "m", hint: "own" });
  told.err = "";
  createOutput(true, streams).error(remote("API_NO_VALUE"));
  t.match(JSON.parse(told.err), { code: "API_NO_VALUE", hint: /credential show/ });
  told.err = "";
  createOutput(false, streams).error(remote("SOMETHING_ELSE"));
  t.equal(told.err, "tidegate: m (SOMETHING_ELSE)\n");
});

t.test("whatever refuses a rotation, the person who asked for it is told what to do", async (t) => {
  // Alarms, and what only a damaged store or a copied vault brings about.
  const others = ["MALFORMED", "POOL_FULL", "REVERTED", "NO_ANSWER", "PAST_WINDOW"];
  const codes = Object.keys(ROTATION_CODES).filter((code) => !others.some((end) => code.endsWith(end)));
  t.same(
    codes.filter((code) => hintOf(code) === undefined),
    [],
  );
});

t.test("what the system refuses ends as what it is, and not as a fault of ours", async (t) => {
  const errors: [error: object, code: string, exit: number][] = [
    ...["ENOSPC", "EDQUOT", "EROFS", "EIO", "EMFILE", "ENFILE"].map((code): [object, string, number] => [
      { code },
      "CLI_DISK",
      exitCodes.tryAgain,
    ]),
    ...[10, 8, 13, 14, 0x30a].map((errcode): [object, string, number] => [{ errcode }, "CLI_DISK", exitCodes.tryAgain]),
    ...["EACCES", "EPERM", "ENOTDIR", "EISDIR", "ENAMETOOLONG", "ELOOP"].map((code): [object, string, number] => [
      { code },
      "CLI_FILE",
      exitCodes.badData,
    ]),
    [{ code: "ENOENT" }, "BUG", exitCodes.bug],
    [{ errcode: 1 }, "BUG", exitCodes.bug],
    [{}, "BUG", exitCodes.bug],
  ];
  for (const [facts, code, exit] of errors) {
    const told = terminal();
    fail(told.process, createOutput(true, told.streams), Object.assign(new Error("refused"), facts));
    t.match(JSON.parse(told.err()), { code, hint: /./ });
    t.equal(told.process.exitCode, exit, JSON.stringify(facts));
  }
});

t.test("an answer that cannot be written is an error, and a reader that ends early is none", async (t) => {
  for (const [code, exit, said] of [
    ["ENOSPC", exitCodes.tryAgain, /CLI_OUTPUT/],
    ["EIO", exitCodes.tryAgain, /CLI_OUTPUT/],
    ["EPIPE", undefined, /^$/],
  ] as const) {
    const told = terminal();
    endWithOutput(told.process, () => createOutput(false, told.streams));
    told.process.stderr.emit("error", new Error("gone"));
    t.equal(told.exited(), 0);
    told.process.stdout.emit("error", Object.assign(new Error(code), { code }));
    t.equal(told.exited(), 1);
    t.equal(told.process.exitCode, exit);
    t.match(told.err(), said);
  }
});

t.test("a file that holds no token is told as that, before anybody is asked", async (t) => {
  for (const text of ["two words", "l\nines", "\u0000", "grün"]) {
    const read = readCredential({ kind: "socket", path: "/nowhere" }, "a/b/c", Secret.fromText(text));
    await t.rejects(read, { code: "CLI_NO_SECRET", hint: /app token/ }, text);
  }
  const read = readCredential({ kind: "socket", path: "/nowhere" }, "a/b/c", Secret.fromText("one-word"));
  await t.rejects(read, { code: "CLI_API_UNREACHABLE" });
});

t.test("a command without its subcommand prints its help", async (t) => {
  for (const words of [[], ["device"]]) {
    const program = createProgram(
      createFrame(process, () => false),
      commandModules,
      "0.0.0",
    );
    let printed = "";
    for (const command of [program, ...program.commands]) {
      command.configureOutput({ ...command.configureOutput(), writeErr: (text) => (printed += text) });
    }
    await t.rejects(program.parseAsync(["node", "tidegate", ...words]), { code: "commander.help" });
    t.match(printed, /^Usage: tidegate/);
    t.match(printed, /Commands:/);
    printed = "";
    await t.rejects(program.parseAsync(["node", "tidegate", ...words, "devcie"]), { code: "commander.unknownCommand" });
    t.equal(printed, "", "an error is told once, by main");
  }
});

t.test("a command that is nearly one names it", async (t) => {
  const meant = async (...words: string[]) => {
    const frame = createFrame(process, () => false);
    const error = await createProgram(frame, commandModules, "0.0.0")
      .parseAsync(["node", "tidegate", ...words])
      .catch((thrown) => thrown);
    return usageError(error)?.hint;
  };
  t.match(await meant("statuss"), /status\?/);
  t.match(await meant("device", "rotat", "a/b/c"), /rotate\?/);
  t.match(await meant("status", "--dat", "x"), /--data\?/);
  t.match(await meant("qqqqqq"), /--help/);
});

t.test("a node that is run is a program of its own, with one command", async (t) => {
  for (const role of ["vault", "gateway", "edge"] as const) {
    t.equal(chooseProgram([role, "run", "--data", "x"]), role);
    const given: RunInput[] = [];
    const modules = [onlyRun(role, async (input) => void given.push(input))];
    const frame = createFrame(process, () => false);
    const program = createProgram(frame, modules, "1.2.3");
    t.same(
      program.commands.find((command) => command.name() === role)?.commands.map((command) => command.name()),
      ["run"],
    );
    await program.parseAsync(["node", "tidegate", role, "run", "--data", "x"]);
    t.same(given, [{ frame, role, options: { data: "x" }, version: "1.2.3" }]);
  }
  for (const words of [
    [],
    ["run"],
    ["edge"],
    ["edge", "join"],
    ["exec", "run"],
    ["toString", "run"],
    ["--json", "edge", "run"],
  ])
    t.equal(chooseProgram(words), "all");
});
