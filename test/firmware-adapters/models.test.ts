import { readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import {
  builtinModelText,
  loadBuiltinModels,
  loadModel,
  ModelError,
  maxModelBytes,
  maxRecipeSteps,
  modelNames,
  resolveSettings,
  type ValueConstraints,
  valueProblem,
} from "../../firmware-adapters/index.ts";

const folder = join(import.meta.dirname, "../../firmware-adapters/models");

function problemsOf(text: string): string[] {
  try {
    loadModel(text);
    return [];
  } catch (error) {
    if (!(error instanceof ModelError) || error.code !== "MODEL_INVALID") throw error;
    return error.problems.map((problem) => `${problem.line} ${problem.path}: ${problem.message}`);
  }
}

t.test("every model file is built in, bears its own name, cites a manual and says what was not proven", async (t) => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  t.same(files.sort(), modelNames.map((name) => `${name}.yaml`).sort());
  for (const [name, model] of loadBuiltinModels()) {
    t.equal(model.name, name);
    t.ok(model.manuals.length > 0 && model.notProven.length > 0, name);
    t.ok(Object.keys(model.secrets).length > 0, name);
  }
});

t.test("a model that is not there is named", async (t) => {
  t.throws(() => builtinModelText("../../package"), { code: "MODEL_UNKNOWN" });
});

t.test("a broken model is refused with all of its problems, each with its line, path, type and what is allowed", async (t) => {
  const shark = builtinModelText("eig-shark");
  const line = (text: string) => shark.split("\n").findIndex((candidate) => candidate.includes(text)) + 1;
  const several = shark
    .replace("settleMs: 5000", "settleMs: -4")
    .replace("defaultPort: 502", "defaultPort: telnet")
    .replace("kind: digits", "kind: roman")
    .replace("lockout: unknown", "lockout: never")
    .replace("address: 0x55F3", "address: 0x155F3")
    .concat("colour: red\n");
  t.same(
    problemsOf(several).sort(),
    [
      `${line("defaultPort")} defaultPort: text, expected number`,
      `${line("address: 0x55F3")} recipe.push[1].write.address: number too big, allowed: up to 65535`,
      `${line("kind: digits")} secrets.password.kind: text, allowed: text, digits, number`,
      `${line("lockout: ")} lockout: text, expected unknown, none, or tries (1 to 1000), windowS (1 to 86400), durationS (1 to 604800) and scope (account or device)`,
      `${line("settleMs")} settleMs: number too small, allowed: from 0`,
      `${shark.split("\n").length} colour: key that no model has`,
    ].sort(),
  );

  const cases: readonly (readonly [what: string, from: string | RegExp, to: string, problem: RegExp])[] = [
    ["a value nobody read", "$checksum", "$other", /recipe\.push\[3\]: \$other, which no step before has read/],
    [
      "a new secret outside of push",
      "- unlock: current\n    - write: { address: 0x55F0",
      "- unlock: next\n    - write: { address: 0x55F0",
      /recipe\.verify\[0\]: next, allowed in push only/,
    ],
    ["a push that writes nothing new", "value: next", "value: current", /no step of push writes next/],
    ["a save that is not there", "needsSave: false", "needsSave: true", /needsSave: boolean, allowed: true exactly where/],
    [
      "a save whose answer may be lost",
      "  verify:",
      "  save:\n    - write: { address: 0x55F0, type: u16, value: 1, replyMayBeLost: true }\n  verify:",
      /recipe\.save\[0\]: replyMayBeLost, not allowed in save/,
    ],
    [
      "a step with two deeds",
      "- unlock: current\n    - write: { address: 0x55F3",
      "- unlock: current\n      wait: 5\n    - write: { address: 0x55F3",
      /recipe\.push\[0\]: object, allowed: exactly one of/,
    ],
    [
      "a type that is none",
      "type: ascii 8",
      "type: ascii 65",
      /identify\[0\]\.read\.type: number of registers, allowed: 1 to 64/,
    ],
    [
      "FC06 for two registers",
      "type: u16, value: next",
      "type: u32, function: 6, value: next",
      /push\[1\]\.write\.function: number 6 for a value of more than one register/,
    ],
    ["an unknown exception meaning", "{ 3: REJECTED_POLICY }", "{ 3: RETRY }", /exceptions\.3: text, allowed: REJECTED_AUTH, /],
    ["an exception code out of range", "{ 3: REJECTED_POLICY }", "{ 12: BUSY }", /exceptions\.12: key that is not allowed/],
    ["a missing key", /^title: .*\n/m, "", /title: nothing, expected string/],
    ["an unknown adapter", "adapter: modbus", "adapter: telepathy", /adapter: text, allowed: snmp, modbus/],
    ["a wrong range", "minLength: 4", "minLength: 5", /minLength: number above maxLength/],
    [
      "a lockout in words",
      "lockout: unknown",
      "lockout: { tries: five, windowS: 0, durationS: 60, scope: device }",
      /lockout\.tries: text, expected number\n.*lockout\.windowS: number too small, allowed: from 1$/,
    ],
    [
      "a lockout with a strange key",
      "lockout: unknown",
      "lockout: { tries: 5, windowS: 1, durationS: 60, scope: device, colour: 1 }",
      /lockout\.colour: key that no model has/,
    ],
    ["YAML that is none", /^recipe:/m, "recipe: [", /./],
    ["a key twice", "needsSave: false", "needsSave: false\nneedsSave: false", /unique/],
    ["an alias", "sideEffects:", "x: &x [1]\ny: *x\nsideEffects:", /alias/],
    ["no mapping", /^[\s\S]*$/, "just text", /./],
  ];
  for (const [what, from, to, problem] of cases) {
    const text = shark.replace(from, to);
    t.not(text, shark, what);
    t.match(problemsOf(text).join("\n"), problem, what);
  }
});

t.test("a model's size and a recipe's length end at their limits", async (t) => {
  const shark = builtinModelText("eig-shark");
  const padded = (bytes: number) => `${shark}#${"x".repeat(bytes - Buffer.byteLength(shark) - 2)}\n`;
  t.same(problemsOf(padded(maxModelBytes - 1)), []);
  t.same(problemsOf(padded(maxModelBytes)), []);
  t.match(problemsOf(padded(maxModelBytes + 1)), [/text of 65537 bytes, allowed: up to 65536/]);
  const verify = (steps: number) => shark.replace(/ {2}verify:[\s\S]*$/, `  verify:\n${"    - wait: 1\n".repeat(steps)}`);
  t.same(problemsOf(verify(maxRecipeSteps - 1)), []);
  t.same(problemsOf(verify(maxRecipeSteps)), []);
  t.match(problemsOf(verify(maxRecipeSteps + 1)), [/recipe\.verify: list too big, allowed: up to 32 entries/]);
});

t.test("a device's settings are completed with defaults, and refused all together", async (t) => {
  const model = loadModel(builtinModelText("generic-snmpv3"));
  t.same(resolveSettings(model, { authProtocol: "SHA-512" }), {
    settings: { authProtocol: "SHA-512", privProtocol: "AES-128", aes256Extension: "blumenthal" },
    problems: null,
  });
  t.match(resolveSettings(model, { authProtocol: "MD5", community: "public" }), {
    settings: null,
    problems: [/community: not a setting of generic-snmpv3/, /authProtocol: not allowed, allowed: SHA-1, /],
  });
  const meter = loadModel(builtinModelText("eastron-sdm"));
  for (const [unitId, fine] of [
    ["0", false],
    ["1", true],
    ["247", true],
    ["248", false],
    ["1.5", false],
    ["01", false],
  ] as const) {
    t.equal(resolveSettings(meter, { unitId }).problems === null, fine, unitId);
  }
});

t.test("a value is judged by its field's constraints, without being quoted", async (t) => {
  const text: ValueConstraints = {
    kind: "text",
    minLength: 4,
    maxLength: 6,
    alphabet: "abcXYZ123",
    require: ["abc", "123"],
    forbiddenWords: ["abc123"],
  };
  const digits: ValueConstraints = {
    kind: "digits",
    minLength: 4,
    maxLength: 4,
    alphabet: "0123456789",
    require: [],
    forbiddenWords: ["0000"],
  };
  const number: ValueConstraints = {
    kind: "number",
    min: 1,
    max: 9999,
    minLength: 1,
    maxLength: 4,
    alphabet: "0123456789",
    require: [],
    forbiddenWords: ["1000"],
  };
  const cases: readonly (readonly [ValueConstraints, string, string | null])[] = [
    [text, "a12", "shorter than 4"],
    [text, "aX12", null],
    [text, "aXYZ12", null],
    [text, "aXYZ123", "longer than 6"],
    [text, "aX1é", "a character outside of the alphabet"],
    [text, "abcX", "no character of 123"],
    [text, "ABC123".toLowerCase(), "a forbidden word"],
    [digits, "0042", null],
    [digits, "0000", "a forbidden word"],
    [number, "0", "a number below 1"],
    [number, "1", null],
    [number, "9999", null],
    [number, "042", "a number with a leading zero"],
    [number, "1000", "a forbidden word"],
    [{ ...number, max: 999 }, "1001", "a number above 999"],
  ];
  for (const [constraints, value, problem] of cases) t.equal(valueProblem(constraints, Buffer.from(value)), problem, value);
});
