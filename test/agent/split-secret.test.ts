import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { SplitSecret } from "../../agent/secret/index.ts";

const { random } = machineSeams();

t.test("it puts together what was split, whole or a part, as often as asked", async (t) => {
  for (const length of [0, 1, 31, 32, 255, 4096]) {
    const plain = random(length);
    const secret = new SplitSecret(plain, random);
    t.equal(secret.length, length);
    for (let i = 0; i < 3; i += 1) {
      const out = new Uint8Array(length + 2).fill(0xaa);
      t.equal(secret.copy(out, 1), length + 1, "the byte behind it");
      t.same(out.subarray(1, length + 1), plain);
      t.same([out[0], out[length + 1]], [0xaa, 0xaa], "nothing else is written");
    }
  }
  const plain = random(40);
  const part = new Uint8Array(12);
  new SplitSecret(plain, random).copy(part, 2, 10, 20);
  t.same(part, Uint8Array.of(0, 0, ...plain.subarray(10, 20)));
});

t.test("neither half is the secret, and no two secrets share a pad", async (t) => {
  const drawn: Uint8Array[] = [];
  const watched = (length: number) => {
    const pad = random(length);
    drawn.push(pad);
    return pad;
  };
  const plain = new Uint8Array(32).fill(7);
  const secrets = [new SplitSecret(plain, watched), new SplitSecret(plain, watched)];
  t.equal(drawn.length, secrets.length);
  t.notSame(drawn[0], drawn[1]);
  for (const pad of drawn) t.notSame(pad, plain);
});

t.test("wiped, it holds zeros only; a part that is not there is refused", async (t) => {
  const drawn: Uint8Array[] = [];
  const secret = new SplitSecret(random(16), (length) => {
    const pad = random(length);
    drawn.push(pad);
    return pad;
  });
  for (const [size, at, from, to] of [
    [16, 0, 0, 17],
    [15, 0, 0, 16],
    [16, 1, 0, 16],
    [16, 0, -1, 4],
  ] as const)
    t.throws(() => secret.copy(new Uint8Array(size), at, from, to), { name: "AssertionError" });
  secret.wipe();
  t.same(drawn[0], new Uint8Array(16));
  const out = new Uint8Array(16).fill(1);
  secret.copy(out, 0);
  t.same(out, new Uint8Array(16));
});
