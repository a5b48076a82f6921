import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import t from "tap";
import { windowsOfTexts, windowText } from "../../cli/commands/window-text.ts";
import { shortFolder } from "../support/short-folder.ts";
import { run } from "./run.ts";
import { runningVault } from "./running-vault.ts";

t.test("a window is written as it is read", async (t) => {
  const cases: [text: string, days: number, startMinute: number, minutes: number, written?: string][] = [
    ["Mon-Fri 22:00-04:00", 0b001_1111, 1320, 360],
    ["Sat,Sun 00:00-24:00", 0b110_0000, 0, 1440, "Sat-Sun 00:00-00:00"],
    ["mon,wed,fri 06:30-06:31", 0b001_0101, 390, 1, "Mon,Wed,Fri 06:30-06:31"],
    ["daily 12:00-12:00", 0b111_1111, 720, 1440, "Mon-Sun 12:00-12:00"],
    ["Fri-Mon 01:00-02:00", 0b111_0001, 60, 60, "Mon,Fri-Sun 01:00-02:00"],
    ["Fri 20:00-Mon 06:00", 0b001_0000, 1200, 3480],
    ["Sun 22:00-Mon 04:00", 0b100_0000, 1320, 360, "Sun 22:00-04:00"],
    ["Tue 00:00-Tue 00:00", 0b000_0010, 0, 10_080],
  ];
  for (const [text, days, startMinute, minutes, written] of cases) {
    t.same(windowsOfTexts([text]), [{ days, startMinute, minutes }], text);
    t.equal(windowText({ days, startMinute, minutes }), written ?? text);
    t.same(windowsOfTexts([windowText({ days, startMinute, minutes })]), [{ days, startMinute, minutes }]);
  }
  t.same(windowsOfTexts(["none"]), []);
  const wrong = [
    "",
    "Mon",
    "Mon 22:00",
    "Mon 22-04",
    "Mon 24:00-01:00",
    "Mon 22:60-23:00",
    "Mon 22:00-24:01",
    "Mo 22:00-23:00",
  ];
  for (const text of [...wrong, "Mon-Tue 20:00-Fri 06:00", "Mon-Tue-Wed 01:00-02:00", "Mon, Tue 01:00-02:00"])
    t.throws(() => windowsOfTexts([text]), { code: "CLI_USAGE" }, text);
});

t.test("windows, holds, policies and a dry run at the vault's command line", async (t) => {
  const data = await runningVault(t);
  await run(["vault", "enroll", "edge-1", "--role", "edge", "--zone", "plant", ...data]);
  const json = async (...words: string[]) => JSON.parse((await run([...words, "--json", ...data])).stdout);
  const add = ["device", "add", "meter", "--zone", "plant", "--model", "eastron-sdm", "--host", "10.0.0.1"];
  const accounts = ["--account", "operator", "--account", "viewer", "--break-glass", "operator", "--rotate", "never"];
  const window = ["--window", "Mon-Fri 22:00-04:00", "--window", "Sat,Sun 00:00-24:00"];
  await t.rejects(run([...add, ...accounts, ...window, ...data]), { code: "CLI_USAGE", message: /--time-zone/ });
  const nowhere = [...add, ...accounts, ...window, "--time-zone", "Nowhere/Land", ...data];
  await t.rejects(run(nowhere), { code: "REQUEST_INVALID", problems: [{ path: "--time-zone" }] });
  const misread: [words: string[], names: string[]][] = [
    [["device", "rotate", "plant/meter"], ["<zone/device/account>"]],
    [["device", "rotate", "plant/meter/a", "--within", "1"], ["--within"]],
    [["credential", "history", "plant"], ["<zone/device/account>"]],
    [
      ["vault", "enroll", "Edge", "--role", "edge", "--zone", "Z", "--host", "h".repeat(999)],
      ["<name>", "--zone", "--host"],
    ],
    [
      ["app", "add", "Reader", "--node", "No"],
      ["<name>", "--node"],
    ],
    [["app", "grant", "reader", "a//b"], ["<pattern>"]],
    [["app", "grant", "reader", "a//b", "--revoke"], ["<pattern>"]],
    [
      ["lease", "grant", "reader", "a//b", "--for", "1s"],
      ["<pattern>", "--for"],
    ],
    [["freshness", "set", "a//b", "--ttl", "1d"], ["<pattern>"]],
    [["group", "add", "g", "a/b", "a/b/c"], ["<path>"]],
    [["fleet", "rotate", "--canaries", "9999"], ["--canaries"]],
    [
      [...add, "--account", "A", "--rotate", "1s"],
      ["--account", "--rotate"],
    ],
    [["node", "revoke", "n", "--reason", "two\nlines"], ["--reason"]],
  ];
  for (const [words, names] of misread)
    await t.rejects(
      run([...words, ...data]),
      { code: "REQUEST_INVALID", problems: names.map((path) => ({ path })) },
      words.join(" "),
    );
  await t.rejects(run(["vault", "enroll", "e", "--role", "edge", "--zone", "z", "--address", "x", ...data]), {
    code: "REGISTRY_INVALID",
    problems: [{ path: "--address" }],
  });
  await t.rejects(run(["app", "add", "reader", "--uid", "no-number", ...data]), { code: "CLI_USAGE" });
  for (const words of [
    ["status", "--data", ""],
    ["media", "write", "", ...data],
    ["group", "add", "g", "plant/meter/a", "", ...data],
  ])
    await t.rejects(run(words), { code: "CLI_USAGE", hint: /variable/ }, "an empty word is no folder and no name");
  await t.rejects(run([...add, "--account", "a", "--break-glass", "b", ...data]), {
    code: "CLI_USAGE",
    message: /--break-glass/,
  });
  t.match(await json(...add, ...accounts, ...window, "--time-zone", "Europe/Berlin"), {
    timeZone: "Europe/Berlin",
    windows: [{ days: 31, startMinute: 1320, minutes: 360 }, { days: 96 }],
    held: false,
    opening: { fromMs: Number, toMs: Number },
    accounts: [{ breakGlass: true, rotate: "never" }, { breakGlass: false }],
  });
  const shown = (await run(["device", "show", "plant/meter", ...data])).stdout;
  t.match(shown, /window Mon-Fri 22:00-04:00 Europe\/Berlin\n.*window Sat-Sun .*\n +(open until|next) \d{4}-/);
  t.match(shown, /operator \(break-glass\)/);

  const set = ["device", "set", "plant/meter"];
  await t.rejects(run([...set, "--break-glass", ...data]), { code: "CLI_USAGE", message: /which account/ });
  await t.rejects(run(["device", "set", "plant/meter/viewer", "--window", "none", ...data]), { code: "CLI_USAGE" });
  t.match(await json("device", "set", "plant/meter/viewer", "--rotate", "12h", "--windowless"), {
    accounts: [{ rotate: "never" }, { rotate: "interval", intervalS: 43_200, windowless: true }],
  });
  t.match(await json(...set, "--rotate", "on-demand"), {
    accounts: [{ rotate: "on-demand", intervalS: null }, { rotate: "on-demand" }],
  });

  const path = "plant/meter/operator";
  const noPool = await json("device", "rotate", path, "--dry-run");
  t.match(noPool, { ready: false, checks: [{ check: "policy", code: null }, { code: "ORDER_NO_EDGE" }, { code: null }] });
  await run(["credential", "set", path, ...data], { secrets: { password: "4711" } });
  t.match(await json("device", "hold", "plant/meter", "--reason", "work on the line"), { held: true });
  t.match((await run(["device", "show", "plant/meter", ...data])).stdout, /held by an operator/);
  const held = await run(["device", "rotate", path, "--dry-run", "--json", ...data]);
  t.equal(held.exit, 1);
  const dry = JSON.parse(held.stdout);
  t.same(
    dry.checks.map((each: { check: string }) => each.check),
    [
      "policy",
      "edge",
      "hold",
      "state",
      "escrow",
      "credential",
      "pool",
      "value",
      "identity",
      "window",
      "break-glass",
      "lockout",
    ],
  );
  t.match(dry.checks[2], { code: "ORDER_ON_HOLD" });
  t.match(dry.requests[0], /connect to 10\.0\.0\.1:502/);
  t.notMatch(held.stdout, /4711/);
  t.match(await json("device", "release", "plant/meter"), { held: false });
  await t.rejects(run(["device", "rotate", path, "--dry-run", "--now", ...data]), { code: "CLI_USAGE" });
  await t.rejects(run(["device", "hold", "plant", ...data]), { code: "CLI_USAGE" });
  t.match(await json(...set, "--window", "none"), { windows: [], opening: null });
});

t.test("who waits for an order is told at once that it waits for a person, and what to do", async (t) => {
  const data = shortFolder(t);
  const answers: object[] = [];
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    const order = { orderId: "00", state: "open", outcome: null, code: null, standstill: null };
    response.end(JSON.stringify({ ...order, ...answers.shift() }));
  });
  await once(server.listen(join(data, "admin.sock")), "listening");
  t.teardown(() => server.close());
  const rotate = async (...more: string[]) => {
    asked = 0;
    const told = await run(["device", "rotate", "plant/meter/a", "--data", data, ...more]);
    return { asked, exit: told.exit, hint: /^hint: (.*)$/m.exec(told.stderr)?.[1] };
  };
  const cases: [answers: object[], words: string[], asked: number, exit: number, hint: RegExp | undefined][] = [
    [[{ standstill: "ROTATION_UNKNOWN" }], ["--wait", "600"], 1, 1, /credential set PATH/],
    [[{}, { standstill: "ROTATION_ESCROW_DUE" }], ["--wait", "600"], 2, 1, /recover-escrow/],
    [[{ standstill: "INGEST_CLONE" }], [], 1, 0, /alarm list/],
    [[{}, { state: "done", outcome: "done" }], ["--wait", "600"], 2, 0, undefined],
    [[{ state: "done", outcome: "failed", code: "ROTATION_UNKNOWN" }], ["--wait", "600"], 1, 1, /credential set PATH/],
    [[{}], ["--wait", "0"], 1, 1, /stays open/],
  ];
  for (const [given, words, times, exit, hint] of cases) {
    answers.splice(0, answers.length, ...given);
    const { hint: said, ...told } = await rotate(...words);
    t.same(told, { asked: times, exit }, JSON.stringify(given));
    if (hint === undefined) t.equal(said, undefined);
    else t.match(said, hint);
  }
});
