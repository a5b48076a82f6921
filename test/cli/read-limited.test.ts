import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { readLimited } from "../../cli/frame/index.ts";
import { readSecret } from "../../cli/frame/secrets.ts";

const terminal = { input: process.stdin, prompt: process.stderr };

t.test("a file that a person names is read up to its limit, and what never ends is refused", async (t) => {
  const path = join(t.testdir({}), "file");
  for (const [length, refused] of [
    [0, false],
    [99_999, false],
    [100_000, false],
    [100_001, true],
  ] as const) {
    writeFileSync(path, Buffer.alloc(length, 0x61));
    const read = () => readLimited(path, 100_000);
    if (refused) t.throws(read, { code: "CLI_FILE" });
    else t.equal(read().length, length);
  }
  t.throws(() => readLimited("/dev/zero", 100_000), { code: "CLI_FILE" });
  t.throws(() => readLimited(`${path}.missing`), { code: "CLI_FILE" });
});

t.test("a secret from a file is bounded, with or without the end of a line", async (t) => {
  const path = join(t.testdir({}), "secret");
  const secret = (bytes: string) => {
    writeFileSync(path, bytes);
    return readSecret({ label: "a secret", fromFile: path }, terminal);
  };
  const longest = "a".repeat(16 * 1024);
  t.equal((await secret(`${longest}\r\n`)).length, longest.length);
  await t.rejects(secret(`${longest}a`), { code: "CLI_NO_SECRET" });
  await t.rejects(secret(`${longest}aaa`), { code: "CLI_FILE" });
  await t.rejects(readSecret({ label: "a secret", fromFile: "/dev/zero" }, terminal), { code: "CLI_FILE" });
});
