import { inspect } from "node:util";
import t from "tap";
import { Secret, TidegateError } from "../../../protocol/base/index.ts";
import {
  type EnrolmentCode,
  encodeEnrolmentCode,
  joinCodeIdOf,
  makeJoinRequest,
  openJoinRequest,
  parseEnrolmentCode,
} from "../../../protocol/join/index.ts";
import { nodeRole } from "../../../protocol/trust/index.ts";
import { sampleSealer, sampleSigner } from "../sample-vault.ts";

const code: EnrolmentCode = {
  codeId: new Uint8Array(16).fill(1),
  secret: new Secret(new Uint8Array(16).fill(2)),
  rootVersion: 7,
  rootId: new Uint8Array(32).fill(3),
  role: nodeRole.gateway,
  name: "gateway-1",
  address: "vault.plant.example:7443",
};
const text = encodeEnrolmentCode(code);

/** The code that `run` ends with, or "ok". */
function outcome(run: () => unknown): string {
  try {
    run();
    return "ok";
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

t.test("an enrolment code survives being read aloud, wrapped and pasted", async (t) => {
  t.match(text, /^tg1(-[a-z2-7]{1,5})+$/);
  for (const form of [text, text.toUpperCase(), text.replaceAll("-", ""), text.replaceAll("-", " \r\n"), `\t${text}\n`]) {
    const read = parseEnrolmentCode(form);
    t.ok(read.secret.equals(code.secret));
    t.same({ ...read, secret: null }, { ...code, secret: null });
  }
});

t.test("any one character wrong, missing or doubled is noticed, and no message repeats the code", async (t) => {
  const letters = text.replaceAll("-", "").slice(3);
  const bad: string[] = [];
  for (let at = 0; at < letters.length; at += 1) {
    const changed = letters[at] === "q" ? "r" : "q";
    const forms = [
      `tg1${letters.slice(0, at)}${changed}${letters.slice(at + 1)}`,
      `tg1${letters.slice(0, at)}${letters.slice(at + 1)}`,
      `tg1${letters.slice(0, at)}${letters[at]}${letters.slice(at)}`,
    ];
    for (const form of forms) {
      try {
        parseEnrolmentCode(form);
        bad.push(form);
      } catch (error) {
        if (!(error instanceof TidegateError) || error.code !== "JOIN_CODE_CHECKSUM") bad.push(String(error));
        if (inspect(error).includes(letters.slice(8, 24))) bad.push("repeats the code");
      }
    }
  }
  t.same(bad, []);
});

t.test("a code with the longest name and address fits its limit", async (t) => {
  const long = { ...code, name: "n".repeat(63), address: "a".repeat(260), rootVersion: Number.MAX_SAFE_INTEGER };
  const longText = encodeEnrolmentCode(long);
  t.ok(longText.length <= 1024, `${longText.length} characters`);
  t.equal(parseEnrolmentCode(longText).address.length, 260);
  t.equal(
    outcome(() => parseEnrolmentCode(encodeEnrolmentCode({ ...code, address: "a".repeat(261) }))),
    "JOIN_CODE_MALFORMED",
  );
  t.equal(
    outcome(() => parseEnrolmentCode(encodeEnrolmentCode({ ...code, address: "a b" }))),
    "JOIN_CODE_MALFORMED",
  );
  t.equal(
    outcome(() => parseEnrolmentCode(encodeEnrolmentCode({ ...code, name: "Gateway" }))),
    "JOIN_CODE_MALFORMED",
  );
  for (const [length, result] of [
    [1023, "ok"],
    [1024, "ok"],
    [1025, "JOIN_CODE_MALFORMED"],
  ] as const) {
    t.equal(
      outcome(() => parseEnrolmentCode(text.padEnd(length))),
      result,
      `${length} characters`,
    );
  }
});

t.test("a printed code shows no secret", async (t) => {
  t.notMatch(`${inspect(parseEnrolmentCode(text), { depth: 9, showHidden: true })}`, /02 02 02|2, ?2, ?2/);
});

t.test("every flipped bit and every truncation of a join request is refused with a code", async (t) => {
  const request = makeJoinRequest({
    code,
    signing: sampleSigner(31),
    sealKey: sampleSealer(32).publicKey,
    tlsKeyHash: new Uint8Array(32).fill(4),
    logKey: sampleSigner(33).publicKey,
    epochKey: sampleSigner(34).publicKey,
    nonce: new Uint8Array(16).fill(5),
    replaces: null,
  });
  t.same(joinCodeIdOf(request), code.codeId);
  const open = (bytes: Uint8Array) =>
    outcome(() => {
      // As the vault does: another code id is an unknown code, which the vault refuses before it opens anything.
      if (Buffer.compare(joinCodeIdOf(bytes), code.codeId) === 0) openJoinRequest(bytes, code);
      else openJoinRequest(request.subarray(1), code);
    });
  t.equal(open(request), "ok");
  const taken: number[] = [];
  for (let bit = 0; bit < request.length * 8; bit += 1) {
    const damaged = request.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (open(damaged) === "ok") taken.push(bit);
  }
  for (let length = 0; length < request.length; length += 1)
    if (open(request.subarray(0, length)) === "ok") taken.push(-length);
  t.same(taken, []);
});
