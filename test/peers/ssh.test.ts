import { connect } from "node:net";
import t, { type Test } from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import {
  builtinModelText,
  createAdapterHost,
  type DeviceModel,
  loadModel,
  type Operation,
  type Outcome,
  type PushJob,
} from "../../firmware-adapters/index.ts";
import { sshAdapter } from "../../firmware-adapters/ssh/index.ts";
import { peerSuite } from "./peer-suite.ts";
import { Sshd, type SshdOptions, sshdPeer, UnixAccount } from "./sshd.ts";

const host = createAdapterHost({ timers: machineSeams().timers });
t.teardown(() => host.close());

const first = "First-password-2345678";
const second = "Second-password-345678";
const wrong = "Wrong-password-2345678";
const admins = "Admins-password-234567";

const self = builtinModelText("openssh-passwd");
const byAdmin = builtinModelText("openssh-chpasswd");
/** Takes any value, so that the device itself has to refuse. */
const lax = self.replace("minLength: 20", "minLength: 1").replace(/ {4}require: .*\n/, "");

interface JobOptions {
  readonly model?: string;
  readonly current?: string;
  readonly next?: string | null;
  readonly identity?: string | null;
  readonly settings?: Readonly<Record<string, string>>;
  readonly helper?: { readonly name: string; readonly password: string };
  readonly timeoutMs?: number;
}

interface Place {
  readonly sshd: Sshd;
  readonly account: UnixAccount;
}

function jobFor({ sshd, account }: Place, options: JobOptions = {}): PushJob {
  const model: DeviceModel = loadModel(options.model ?? self);
  const next = options.next === undefined ? second : options.next;
  const { helper } = options;
  return {
    target: { host: "127.0.0.1", port: sshd.port, settings: options.settings ?? {} },
    username: account.name,
    secrets: {
      current: { password: Buffer.from(options.current ?? first) },
      next: next === null ? null : { password: Buffer.from(next) },
    },
    helper: helper === undefined ? undefined : { username: helper.name, secrets: { password: Buffer.from(helper.password) } },
    model,
    identity: options.identity ?? null,
    timeoutMs: options.timeoutMs ?? 30_000,
    attempts: 1,
    state: Uint8Array.of(1),
  };
}

function run(operation: Operation, job: PushJob): Promise<Outcome> {
  return sshAdapter[operation](job);
}

async function place(t: Test, options: SshdOptions = {}): Promise<Place> {
  const sshd = await Sshd.start(options);
  t.teardown(() => sshd.stop());
  return { sshd, account: account(t, first) };
}

function account(t: Test, password: string, options: { readonly admin?: boolean } = {}): UnixAccount {
  const made = new UnixAccount(password, options);
  t.teardown(() => made.remove());
  return made;
}

const keyboardOnly = ["PasswordAuthentication no", "KbdInteractiveAuthentication yes"];

// Most of the time PAM waits after a wrong password.
t.jobs = 4;

await peerSuite(t, sshdPeer, async (suite) => {
  suite.stated(Sshd.version());
  const tests: Promise<void>[] = [];
  const test = (title: string, body: (t: Test) => Promise<void>) => tests.push(suite.test(title, body));

  for (const [how, config] of [
    ["password", []],
    ["keyboard-interactive", keyboardOnly],
  ] as const) {
    test(`an account changes its own password with passwd, logged in by ${how}`, async (t) => {
      const at = await place(t, { config });
      const prepared = await run("prepare", jobFor(at));
      const identity = `ssh-host-key:ssh-ed25519 ${at.sshd.fingerprint()}`;
      t.match(prepared, { kind: "OK", state: Uint8Array.of(1), identity });
      const pushed = await host.run("ssh", "push", jobFor(at, { identity }));
      t.match(pushed, { kind: "OK", identity, mayHaveSpentAttempt: false }, "in the adapter's own process");
      t.match(await run("save", jobFor(at, { current: second, next: null })), { code: "DEVICE_SAVE_NOT_NEEDED" });
      t.match(await run("verify", jobFor(at, { current: second, next: null, identity })), { kind: "OK" });
      t.same(at.account.live([first, second]), [second]);
      t.equal(await at.sshd.lets(at.account.name, second), true, "OpenSSH's own client logs in with the new one");
      t.equal(await at.sshd.lets(at.account.name, first), false, "and not with the old one");
      const refused = await run("verify", jobFor(at, { next: null }));
      t.match(refused, { kind: "REJECTED_AUTH", code: "DEVICE_SECRET_REFUSED", mayHaveSpentAttempt: true });
      const again = await run("push", jobFor(at));
      t.match(again, { kind: "REJECTED_AUTH", mayHaveSpentAttempt: true }, "a repeated push has the wrong old password");
      t.same(at.account.live([first, second]), [second]);
    });
  }

  test("an admin account sets the password with chpasswd, and the account's own login proves it", async (t) => {
    const at = await place(t, { config: ["PermitRootLogin yes"] });
    const admin = account(t, admins, { admin: true });
    const options = {
      model: byAdmin,
      settings: { admin: "line-4/host-1/root" },
      helper: { name: admin.name, password: admins },
    };
    t.match(await run("prepare", jobFor(at, options)), { kind: "OK", state: Uint8Array.of(1) });
    t.match(await run("push", jobFor(at, options)), { kind: "OK", mayHaveSpentAttempt: false });
    t.same(at.account.live([first, second]), [second]);
    t.match(await run("verify", jobFor(at, { ...options, current: second, next: null })), { kind: "OK" });
    t.notMatch(at.sshd.log, second, "the value is in no log");

    const bad = { ...options, current: second, next: first, helper: { name: admin.name, password: wrong } };
    for (const operation of ["prepare", "push"] as const) {
      const outcome = await run(operation, jobFor(at, bad));
      t.match(outcome, { kind: "NOT_SENT", code: "SSH_HELPER_REFUSED", mayHaveSpentAttempt: true }, operation);
    }
    const { helper: _none, ...without } = { ...options, current: second, next: first };
    for (const operation of ["prepare", "push"] as const) {
      const outcome = await run(operation, jobFor(at, without));
      t.match(outcome, { kind: "NOT_SENT", code: "SSH_HELPER_MISSING", mayHaveSpentAttempt: false }, operation);
    }
    t.same(at.account.live([first, second]), [second]);
  });

  test("a value that the device finds poor is REJECTED_POLICY, and the old one stays", async (t) => {
    const at = await place(t);
    for (const next of ["ab23", first.toLowerCase(), [...first].reverse().join("")]) {
      const outcome = await run("push", jobFor(at, { model: lax, next }));
      if (next === "ab23") t.match(outcome, { kind: "REJECTED_POLICY", code: "DEVICE_VALUE_REFUSED" }, next);
      await at.sshd.quiet(at.account);
      t.same(at.account.live([first, next]), [outcome.kind === "OK" ? next : first], `${next}: ${outcome.kind}`);
      at.account.set(first);
    }
  });

  test("another host key than the pinned one gets no login", async (t) => {
    const at = await place(t);
    const other = await Sshd.start({ hostKeys: ["ed25519", "rsa"] });
    t.teardown(() => other.stop());
    const identity = `ssh-host-key:ssh-ed25519 ${other.fingerprint()}`;
    const pinned: readonly JobOptions[] = [
      { identity },
      { settings: { hostKey: other.fingerprint() } },
      { settings: { hostKey: `ssh-rsa ${at.sshd.fingerprint()}` } },
      { identity: "snmp-engine:80001f88" },
    ];
    for (const options of pinned) {
      for (const operation of ["prepare", "push", "verify", "identify", "save"] as const) {
        const model = self
          .replace("needsSave: false", "needsSave: true")
          .replace("parameters:\n", 'parameters:\n  save: { command: "true" }\n');
        const outcome = await run(operation, jobFor(at, { ...options, model }));
        t.match(outcome, { kind: "NOT_SENT", code: "DEVICE_IDENTITY_CHANGED", mayHaveSpentAttempt: false }, operation);
      }
    }
    t.notMatch(at.sshd.log, /Accepted|Failed password/, "no password left");
    for (const type of ["rsa", "ed25519"] as const) {
      const name = type === "rsa" ? "ssh-rsa" : "ssh-ed25519";
      const settings = { hostKey: `${name} ${other.fingerprint(type)}` };
      const right = await run("verify", jobFor({ ...at, sshd: other }, { settings, next: null }));
      t.match(right, { kind: "OK", identity: `ssh-host-key:${settings.hostKey}` }, `of several keys the pinned one: ${type}`);
    }
    const unread = await run("verify", jobFor(at, { settings: { hostKey: "MD5:00:11" }, next: null }));
    t.match(unread, { kind: "NOT_SENT", code: "DEVICE_SETTINGS_INVALID" });
  });

  test("an expired password is right and good for nothing: neither OK nor refused", async (t) => {
    for (const config of [[], keyboardOnly]) {
      const at = await place(t, { config });
      at.account.expirePassword();
      for (const operation of ["prepare", "verify"] as const) {
        const outcome = await run(operation, jobFor(at));
        t.match(outcome, { kind: "AMBIGUOUS", code: "SSH_PASSWORD_EXPIRED" }, `${operation} ${config}`);
      }
      const pushed = await run("push", jobFor(at));
      await at.sshd.quiet(at.account);
      t.not(pushed.kind, "REJECTED_AUTH");
      // With a terminal sshd has the password changed at once, in the same words.
      if (pushed.kind !== "AMBIGUOUS")
        t.same(at.account.live([first, second]), [pushed.kind === "OK" ? second : first], `${pushed.kind} ${pushed.code}`);
    }
  });

  test("only the device's refusal of the password is one: disconnects and closed accounts are not", async (t) => {
    const one = await place(t, { config: ["MaxAuthTries 1"] });
    t.match(await run("verify", jobFor(one, { next: null })), { kind: "OK" }, "one try is enough for the right one");
    const cut = await run("verify", jobFor(one, { current: wrong, next: null }));
    t.match(cut, { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true }, "too many failures");

    const at = await place(t, { config: ["MaxStartups 1:100:1", "LoginGraceTime 20"] });
    const holder = connect(at.sshd.port, "127.0.0.1");
    t.teardown(() => holder.destroy());
    await new Promise((resolve) => holder.once("data", resolve));
    const dropped = await run("push", jobFor(at));
    t.match(dropped, { kind: "NOT_SENT", code: "DEVICE_BUSY", mayHaveSpentAttempt: false }, "MaxStartups");
    holder.destroy();

    const open = await place(t);
    open.account.expireAccount();
    const closed = await run("push", jobFor(open));
    t.match(closed, { kind: "AMBIGUOUS", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: true }, "account expired");
    const locked = await place(t);
    locked.account.lock();
    t.match(await run("push", jobFor(locked)), { kind: "REJECTED_AUTH", mayHaveSpentAttempt: true }, "account locked");
    const keys = await place(t, { config: ["PasswordAuthentication no"] });
    const none = await run("push", jobFor(keys));
    t.match(none, { kind: "NOT_SENT", code: "SSH_NO_PASSWORD_LOGIN", mayHaveSpentAttempt: false }, "keys only");
  });

  test("killed before the value was typed it is NOT_SENT, killed after passwd was done AMBIGUOUS", async (t) => {
    const at = await place(t);
    const cases = [
      ["LC_ALL=C sh -c 'sleep 60'", "NOT_SENT", first],
      ["LC_ALL=C passwd; sleep 60", "AMBIGUOUS", second],
    ] as const;
    for (const [command, kind, live] of cases) {
      const model = self.replace("command: LC_ALL=C passwd", `command: ${command}`);
      const pushed = run("push", jobFor(at, { model, timeoutMs: 20_000 }));
      await sleepsOn(at, live);
      at.sshd.killSessions();
      t.match(await pushed, { kind, mayHaveSpentAttempt: false }, command);
      await at.sshd.quiet(at.account);
      t.same(at.account.live([first, second]), [live], command);
    }
  });

  test("a prompt that the model does not know is answered by nothing", async (t) => {
    const at = await place(t);
    const unknown = self.replace('"current password:", ', "");
    const before = await run("push", jobFor(at, { model: unknown, timeoutMs: 8000 }));
    t.match(before, { kind: "NOT_SENT", code: "DEVICE_NO_ANSWER", mayHaveSpentAttempt: false });
    const half = self.replace('"retype new password:", ', "");
    const after = await run("push", jobFor(at, { model: half, timeoutMs: 8000 }));
    t.match(after, { kind: "AMBIGUOUS", code: "DEVICE_REPLY_LOST", mayHaveSpentAttempt: false });
    const mute = lax.replace(/ {4}answers:\n(?: {6}- .*\n)+/, "");
    t.not(mute, lax);
    const refused = await run("push", jobFor(at, { model: mute, next: "ab23" }));
    t.match(refused, { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" }, "a refusal in words that are not foreseen");
    await at.sshd.quiet(at.account);
    t.same(at.account.live([first, second, "ab23"]), [first]);
  });

  test("algorithms of old gear are offered by a model that says legacy, and by no other", async (t) => {
    const at = await place(t, {
      hostKeys: ["rsa"],
      config: [
        "KexAlgorithms diffie-hellman-group14-sha1",
        "HostKeyAlgorithms ssh-rsa",
        "Ciphers aes128-cbc",
        "MACs hmac-sha1",
      ],
    });
    t.match(await run("verify", jobFor(at, { next: null })), { kind: "NOT_SENT", code: "SSH_ALGORITHMS_DIFFER" });
    const legacy = self.replace("parameters:\n", "parameters:\n  algorithms: legacy\n");
    const outcome = await run("verify", jobFor(at, { model: legacy, next: null }));
    t.match(outcome, { kind: "OK", identity: `ssh-host-key:ssh-rsa ${at.sshd.fingerprint("rsa")}` });
  });

  test("a save runs the model's command, and its words decide", async (t) => {
    const at = await place(t);
    const saving = (command: string) =>
      self
        .replace("needsSave: false", "needsSave: true")
        .replace("parameters:\n", `parameters:\n  save: { command: ${command}, expect: "*[OK]" }\n`);
    const outcomes = [
      ["echo 'Building configuration... [OK]'", { kind: "OK" }],
      ["echo '% Invalid input'", { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED", mayHaveSpentAttempt: false }],
      ["echo '[OK]'; exit 3", { kind: "AMBIGUOUS", code: "DEVICE_ANSWER_UNEXPECTED" }],
    ] as const;
    for (const [command, expected] of outcomes) {
      t.match(await run("save", jobFor(at, { model: saving(JSON.stringify(command)), next: null })), expected, command);
    }
  });
  await Promise.all(tests);
});

/** Waits until the session's command sleeps, with `live` as the password. */
async function sleepsOn({ sshd, account }: Place, live: string): Promise<void> {
  for (let look = 0; look < 200; look += 1) {
    if (sshd.runs("sleep") && account.live([live]).length === 1) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the command never came to its sleep");
}
