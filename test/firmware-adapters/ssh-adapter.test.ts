import { generateKeyPairSync } from "node:crypto";
import { createServer, type Socket } from "node:net";
import ssh2, { type AuthContext, type Connection, type ServerChannel } from "ssh2";
import t, { type Test } from "tap";
import {
  builtinModelText,
  loadModel,
  type ModelError,
  maxCommandLength,
  maxPatternLength,
  maxPatterns,
  maxPrompts,
  type PushJob,
} from "../../firmware-adapters/index.ts";
import { identityOf, isKey, keyOfIdentity, keyOfSetting } from "../../firmware-adapters/ssh/host-key.ts";
import { sshAdapter } from "../../firmware-adapters/ssh/index.ts";
import { maxOutputLength, maxReceivedBytes } from "../../firmware-adapters/ssh/limits.ts";
import { matches } from "../../firmware-adapters/ssh/pattern.ts";
import { Transcript } from "../../firmware-adapters/ssh/transcript.ts";

const current = "Current-password-23456";
const next = "Another-password-23456";
const self = builtinModelText("openssh-passwd");
const byAdmin = builtinModelText("openssh-chpasswd");
const hostKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" });

/** What a scripted device does; each part as a friendly one would unless given. */
interface Script {
  readonly auth?: (context: AuthContext) => void;
  readonly exec?: (channel: ServerChannel, command: string) => void;
}

function takesPassword(context: AuthContext): void {
  if (context.method === "password" && context.password === current) context.accept();
  else context.reject(["password"]);
}

/** passwd(1) in its own words; `after` is what it does once it has the new value twice. */
function passwd(after: (channel: ServerChannel) => void) {
  return (channel: ServerChannel): void => {
    const prompts = ["New password: ", "Retype new password: "];
    channel.write("Changing password for user.\r\nCurrent password: ");
    channel.on("data", () => {
      const prompt = prompts.shift();
      if (prompt === undefined) after(channel);
      else channel.write(`\r\n${prompt}`);
    });
  };
}

function ends(channel: ServerChannel, status: number, words = ""): void {
  channel.write(`\r\n${words}\r\n`);
  channel.exit(status);
  channel.end();
}

async function listening(t: Test, server: { listen: (...args: never[]) => unknown; address(): unknown; close(): unknown }) {
  await new Promise<void>((resolve) => (server as ReturnType<typeof createServer>).listen(0, "127.0.0.1", () => resolve()));
  t.teardown(() => void server.close());
  return (server.address() as { port: number }).port;
}

async function scripted(t: Test, { auth = takesPassword, exec = (channel) => ends(channel, 0) }: Script): Promise<number> {
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection: Connection) => {
    connection.on("error", () => {});
    connection.on("authentication", auth);
    connection.on("ready", () =>
      connection.on("session", (accept) => {
        const session = accept();
        session.on("pty", (acceptPty) => acceptPty?.());
        session.on("exec", (acceptExec, _reject, info) => exec(acceptExec(), info.command));
      }),
    );
  });
  return listening(t, server);
}

async function raw(t: Test, onSocket: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onSocket(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  return listening(t, server);
}

interface JobOptions {
  readonly model?: string;
  readonly current?: string | Uint8Array;
  readonly next?: string;
  readonly username?: string;
  readonly timeoutMs?: number;
  readonly helper?: string;
}

function jobFor(port: number, options: JobOptions = {}): PushJob {
  return {
    target: { host: "127.0.0.1", port, settings: options.helper === undefined ? {} : { admin: "line-4/host/root" } },
    username: options.username ?? "user",
    secrets: {
      current: { password: Buffer.from(options.current ?? current) },
      next: { password: Buffer.from(options.next ?? next) },
    },
    helper: options.helper === undefined ? undefined : { username: "root", secrets: { password: Buffer.from(options.helper) } },
    model: loadModel(options.model ?? self),
    identity: null,
    timeoutMs: options.timeoutMs ?? 5000,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}

t.test("what a device answers to the login has its one class", async (t) => {
  const keyboard =
    (ask: (context: Extract<AuthContext, { method: "keyboard-interactive" }>) => void) => (context: AuthContext) => {
      if (context.method === "keyboard-interactive") ask(context);
      else context.reject(["keyboard-interactive"]);
    };
  const hidden = (prompt: string) => ({ prompt, echo: false });
  const cases: readonly (readonly [what: string, auth: Script["auth"] & object, expected: object])[] = [
    ["the right password", takesPassword, { kind: "OK" }],
    ["anybody is let in", (context) => context.accept(), { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN" }],
    ["keys only", (context) => context.reject(["publickey"]), { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN" }],
    [
      "a second factor",
      (context) => (context.method === "password" ? context.reject(["publickey"], true) : context.reject(["password"])),
      { kind: "AMBIGUOUS", code: "SSH_NO_PASSWORD_LOGIN", mayHaveSpentAttempt: false },
    ],
    [
      "an account that this method is not for",
      keyboard((context) => context.reject(["keyboard-interactive"])),
      { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN", mayHaveSpentAttempt: false },
    ],
    [
      "one hidden prompt",
      keyboard((context) =>
        context.prompt([hidden("Password: ")], ([answer]) => (answer === current ? context.accept() : context.reject())),
      ),
      { kind: "OK" },
    ],
    [
      "a refusal after it",
      keyboard((context) => context.prompt([hidden("Password: ")], () => context.reject(["keyboard-interactive"]))),
      { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED", mayHaveSpentAttempt: true },
    ],
    [
      "two prompts at once",
      keyboard((context) => context.prompt([hidden("Password: "), hidden("Token: ")], () => context.accept())),
      { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN" },
    ],
    [
      "a prompt that shows what is typed",
      keyboard((context) => context.prompt([{ prompt: "Password: ", echo: true }], () => context.accept())),
      { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN" },
    ],
    [
      "another question after the password",
      keyboard((context) =>
        context.prompt([hidden("Password: ")], () => context.prompt([hidden("Kennwort erneut: ")], () => context.accept())),
      ),
      { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true },
    ],
    [
      "no answer",
      (context) => {
        // A login that is never answered.
        if (context.method === "none") context.reject(["password"]);
      },
      { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true },
    ],
  ];
  for (const [what, auth, expected] of cases) {
    const port = await scripted(t, { auth });
    t.match(await sshAdapter.verify(jobFor(port, { timeoutMs: 1500 })), expected, what);
  }
});

t.test("what a change ends with has its one class, and a rejection needs more than words", async (t) => {
  const unchanged = "passwd: Authentication token manipulation error";
  const cases: readonly (readonly [what: string, exec: Script["exec"] & object, expected: object])[] = [
    ["done", passwd((channel) => ends(channel, 0, "passwd: password updated successfully")), { kind: "OK" }],
    [
      "refused by words and by status",
      passwd((channel) => ends(channel, 10, "BAD PASSWORD: it is too simplistic")),
      { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_REFUSED" },
    ],
    [
      "refused by words and asked again",
      passwd((channel) => void channel.write("\r\nYou must choose a longer password.\r\nNew password: ")),
      { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_REFUSED" },
    ],
    [
      "refused by words, done by status",
      passwd((channel) => ends(channel, 0, "BAD PASSWORD: it is based on your username")),
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" },
    ],
    [
      "refused in words that nobody foresaw",
      passwd((channel) => void channel.write("\r\nDas Passwort ist zu kurz.\r\nNew password: ")),
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" },
    ],
    ["a failing status alone", passwd((channel) => ends(channel, 1)), { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" }],
    [
      "after the new value an error of the old one",
      passwd((channel) => ends(channel, 10, unchanged)),
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" },
    ],
    [
      "no status",
      passwd((channel) => void channel.end("\r\npasswd: password updated successfully\r\n")),
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" },
    ],
    ["silence", passwd(() => {}), { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST" }],
    [
      "a flood",
      passwd((channel) => void channel.write("x".repeat(maxOutputLength + 1))),
      { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST" },
    ],
    [
      "killed by a signal",
      passwd((channel) => {
        channel.exit("KILL");
        channel.end();
      }),
      { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" },
    ],
    [
      "the old password is wrong for passwd",
      (channel) => {
        channel.write("Current password: ");
        channel.on("data", () => ends(channel, 10, unchanged));
      },
      { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED" },
    ],
    [
      "too early for a change",
      (channel) => {
        channel.write("Current password: ");
        channel.on("data", () => ends(channel, 10, `You must wait longer to change your password.\r\n${unchanged}`));
      },
      { kind: "NOT_SENT", code: "DEVICE_BUSY" },
    ],
    ["no such command", (channel) => ends(channel, 127), { kind: "NOT_SENT", code: "DEVICE_ANSWER_UNEXPECTED" }],
    ["nothing but a banner", (channel) => void channel.write("Welcome\r\n"), { kind: "NOT_SENT", code: "DEVICE_NO_ANSWER" }],
  ];
  for (const [what, exec, expected] of cases) {
    const port = await scripted(t, { exec });
    const outcome = await sshAdapter.push(jobFor(port, { timeoutMs: 1500 }));
    t.match(outcome, { ...expected, mayHaveSpentAttempt: what.startsWith("the old password") }, what);
  }
});

t.test("gear without an exit status is believed by the words that its model expects", async (t) => {
  const words = self
    .replace("command: LC_ALL=C passwd\n", 'command: set password\n    expect: "% password set*"\n')
    .replace('verify: { command: "true" }', 'verify: { command: show version, expect: "*version*" }');
  for (const [text, kind] of [
    ["% Password set for user", "OK"],
    ["% something else", "AMBIGUOUS"],
  ] as const) {
    const port = await scripted(t, { exec: passwd((channel) => void channel.end(`\r\n\u001b[1m${text}\u001b[0m\r\n`)) });
    t.match(await sshAdapter.push(jobFor(port, { model: words })), { kind }, text);
    const told = await scripted(t, { exec: (channel) => void channel.end(`Acme OS, Version ${kind}\r\n`) });
    t.match(await sshAdapter.verify(jobFor(told, { model: words })), { kind: "OK" });
  }
});

t.test("an admin's line goes to standard input as it is, and only there", async (t) => {
  const lines: string[] = [];
  const commands: string[] = [];
  const port = await scripted(t, {
    exec: (channel, command) => {
      commands.push(command);
      if (command === "true") return ends(channel, 0);
      let input = "";
      channel.on("data", (chunk: Buffer) => {
        input += chunk.toString();
      });
      channel.on("end", () => {
        lines.push(input);
        ends(channel, 0);
      });
    },
  });
  const job = jobFor(port, { model: byAdmin, helper: current });
  t.match(await sshAdapter.prepare(job), { kind: "OK" });
  t.match(await sshAdapter.push(job), { kind: "OK" });
  t.same(lines, [`user:${next}\n`]);
  t.notMatch(commands.join("\n"), next);
});

t.test("what cannot be typed or would part a line is refused before anything is sent", async (t) => {
  const port = await raw(t, () => t.fail("nothing may be sent"));
  const wide = (text: string) =>
    text
      .replace(/alphabet: .*/, 'alphabet: "abc:{}next"')
      .replace(/ {4}require: .*\n/, "")
      .replace("minLength: 20", "minLength: 1");
  const cases: readonly (readonly [what: string, options: JobOptions, expected: object])[] = [
    ["a newline", { next: `${next}\n` }, { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_UNFIT" }],
    ["the same value", { next: current }, { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_UNFIT" }],
    [
      "a colon for chpasswd",
      { model: wide(byAdmin), helper: "x", next: "a:b" },
      { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_UNFIT" },
    ],
    [
      "an old password that cannot be typed",
      { current: "with\u0003control" },
      { kind: "NOT_SENT", code: "DEVICE_VALUE_UNFIT" },
    ],
    [
      "an old password that is no text",
      { current: Uint8Array.of(0xff, 0xfe) },
      { kind: "NOT_SENT", code: "DEVICE_VALUE_UNFIT" },
    ],
    ["a user name with a colon", { username: "root:x" }, { kind: "NOT_SENT", code: "DEVICE_SETTINGS_INVALID" }],
    ["a user name that is an option", { username: "-x" }, { kind: "NOT_SENT", code: "DEVICE_SETTINGS_INVALID" }],
    ["no helper", { model: byAdmin, helper: "" }, { kind: "NOT_SENT", code: "SSH_HELPER_MISSING" }],
  ];
  for (const [what, options, expected] of cases) {
    for (const operation of ["prepare", "push"] as const)
      t.match(
        await sshAdapter[operation](jobFor(port, options)),
        { ...expected, mayHaveSpentAttempt: false },
        `${operation}: ${what}`,
      );
  }
  t.match(await sshAdapter.push({ ...jobFor(port), state: Uint8Array.of(2) }), { code: "DEVICE_STATE_MALFORMED" });
});

t.test("what happens before the login spends nothing", async (t) => {
  const cases: readonly (readonly [what: string, onSocket: (socket: Socket) => void, code: string])[] = [
    ["silence", () => {}, "DEVICE_UNREACHABLE"],
    ["an end", (socket) => socket.end(), "DEVICE_BUSY"],
    ["another protocol", (socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"), "DEVICE_BUSY"],
    ["half a greeting", (socket) => socket.write("SSH-2.0-Open"), "DEVICE_UNREACHABLE"],
    ["a flood", (socket) => socket.write(Buffer.alloc(maxReceivedBytes + 1, "x\r\n")), "DEVICE_BUSY"],
    [
      "rubbish after the greeting",
      (socket) => socket.write(Buffer.concat([Buffer.from("SSH-2.0-x\r\n"), Buffer.alloc(4096, 0xff)])),
      "DEVICE_BUSY",
    ],
  ];
  for (const [what, onSocket, code] of cases) {
    const port = await raw(t, onSocket);
    for (const operation of ["prepare", "push", "verify", "identify"] as const) {
      const outcome = await sshAdapter[operation](jobFor(port, { timeoutMs: 700 }));
      t.match(outcome, { kind: "NOT_SENT", code, mayHaveSpentAttempt: false }, `${operation}: ${what}`);
    }
  }
  t.match(await sshAdapter.verify(jobFor(1, { timeoutMs: 700 })), { kind: "NOT_SENT", code: "DEVICE_UNREACHABLE" });
});

t.test("patterns take a whole line, without case, with * for anything", async (t) => {
  const cases: readonly (readonly [pattern: string, line: string, fits: boolean])[] = [
    ["new password:", "New password: ", true],
    ["new password:", "Retype new password: ", false],
    ["*new password:", "Retype new password: ", true],
    ["BAD PASSWORD:*", "BAD PASSWORD: too short", true],
    ["a*b*c", "axxbxxc", true],
    ["a*b*c", "axxcxxb", false],
    ["ab*ba", "aba", false],
    ["*", "", true],
    ["x*", `x${"y".repeat(5000)}`, true],
  ];
  for (const [pattern, line, fits] of cases) t.equal(matches(pattern, line), fits, `${pattern} | ${line.slice(0, 30)}`);
  const started = performance.now();
  matches("*a*a*a*a*a*a*a*a*b", "a".repeat(100_000));
  t.ok(performance.now() - started < 1000, "no pattern takes long");
});

t.test("a transcript ends at its limit, and splits lines as terminals do", async (t) => {
  for (const [length, fits] of [
    [maxOutputLength - 1, true],
    [maxOutputLength, true],
    [maxOutputLength + 1, false],
  ] as const)
    t.equal(new Transcript().add(Buffer.alloc(length, "x")), fits, String(length));
  const transcript = new Transcript();
  transcript.add(Buffer.from("one\r\n\u001b[31mtwo\u001b[0m\rthree "));
  t.same(transcript.lines(), ["one", "two", "three "]);
  transcript.mark();
  t.same(transcript.lines(), [""]);
});

t.test("a host key is known by its fingerprint, and by its type where that is given", async (t) => {
  const blob = Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from("ssh-ed25519"), Buffer.alloc(36, 7)]);
  const identity = identityOf(blob);
  t.match(identity, /^ssh-host-key:ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}$/);
  const fingerprint = identity.split(" ")[1] ?? "";
  for (const [text, known] of [
    [fingerprint, true],
    [`${fingerprint}=`, true],
    [`ssh-ed25519 ${fingerprint}`, true],
    [`ssh-rsa ${fingerprint}`, false],
    [`SHA256:${"A".repeat(43)}`, false],
  ] as const) {
    const key = keyOfSetting(text);
    t.equal(key !== null && isKey(identity, key), known, text);
  }
  t.equal(isKey(identity, keyOfIdentity(identity)), true);
  t.equal(isKey(identity, keyOfIdentity("ssh-host-key:nonsense")), false);
  for (const bad of ["", "MD5:00", "SHA256:short", `SHA1:${"A".repeat(43)}`]) t.equal(keyOfSetting(bad), null, bad);
  t.match(identityOf(Buffer.alloc(2)), /^ssh-host-key:unknown SHA256:/);
});

t.test("a model of an SSH device is refused where its parts do not go together", async (t) => {
  const cases: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
    [
      "prompts and stdin",
      self.replace("    answers:", '    stdin: "{next}"\n    answers:'),
      /change\.prompts: list, allowed: either prompts or stdin/,
    ],
    ["stdin without the value", byAdmin.replace("{username}:{next}", "{username}"), /change\.stdin: text, allowed: one line/],
    ["an admin without its setting", byAdmin.replace(/ {2}admin:\n.*\n/, ""), /settings: object, allowed: the setting admin/],
    [
      "a setting without an admin",
      self.replace("settings:\n", "settings:\n  admin: { title: Path }\n"),
      /settings: object, allowed: the setting admin/,
    ],
    [
      "a save that is not said",
      self.replace("needsSave: false", "needsSave: true"),
      /needsSave: boolean, allowed: true exactly where parameters\.save/,
    ],
    ["a pattern of nothing", self.replace('"BAD PASSWORD:*"', '"* *"'), /answers\[3\]\.text: text, allowed: printable ASCII/],
    ["no prompt for the value", self.replaceAll("send: next", "send: current"), /change\.prompts: list in which no prompt/],
  ];
  for (const [what, text, problem] of cases) {
    t.not(text, self, what);
    t.throws(() => loadModel(text), { code: "MODEL_INVALID", message: problem } as unknown as ModelError, what);
  }
});

t.test("the lists and texts of an SSH model end at their limits", async (t) => {
  const prompt = '      - { expect: ["x:"], send: next }\n';
  const answer = '      - { text: "x", means: BUSY }\n';
  const withPrompts = (count: number) =>
    self.replace(/ {4}prompts:\n[\s\S]*? {4}answers:/, `    prompts:\n${prompt.repeat(count)}    answers:`);
  const cases: readonly (readonly [limit: number, text: (size: number) => string, problem: RegExp])[] = [
    [maxPrompts, withPrompts, /change\.prompts: list too big, allowed: up to 8/],
    [
      maxPatterns,
      (count) => self.replace(/ {4}answers:\n(?: {6}- .*\n)+/, `    answers:\n${answer.repeat(count)}`),
      /change\.answers: list too big, allowed: up to 32/,
    ],
    [
      maxPatternLength,
      (length) => self.replace("BAD PASSWORD:*", "x".repeat(length)),
      /answers\[\d+\]\.text: text too big, allowed: up to 200/,
    ],
    [
      maxCommandLength,
      (length) => self.replace("LC_ALL=C passwd\n", `${"x".repeat(length)}\n`),
      /change\.command: text too big, allowed: up to 1000/,
    ],
  ];
  for (const [limit, text, problem] of cases) {
    for (const size of [limit - 1, limit]) t.doesNotThrow(() => loadModel(text(size)), `${problem} ${size}`);
    t.throws(() => loadModel(text(limit + 1)), { message: problem } as unknown as ModelError);
  }
});
