import t from "tap";
import nacl from "tweetnacl";
import { RepeatedSecretbox } from "../../agent/local-api/repeated-secretbox.ts";
import { machineSeams } from "../../agent/seams/index.ts";

const { random } = machineSeams();

t.test(
  "it opens exactly what secretbox sealed, as often as asked, and leaves nothing behind that it did not return",
  async (t) => {
    for (const length of [0, 1, 31, 32, 33, 64, 255, 4096]) {
      const [plain, nonce, key] = [random(length), random(24), random(32)];
      const box = new RepeatedSecretbox(plain, nonce, key);
      const sealed = nacl.secretbox(plain, nonce, key);
      const scratch = new Uint8Array(length + 40).fill(0xaa);
      for (let i = 0; i < 3; i += 1) t.same(box.open(scratch), nacl.secretbox.open(sealed, nonce, key), `${length} bytes`);
      t.ok(
        scratch.subarray(0, 32).every((byte) => byte === 0),
        "the one-time key is gone",
      );
      t.throws(() => box.open(new Uint8Array(length + 31)), { name: "AssertionError" });
    }
  },
);

t.test("without its key it opens nothing and leaves no half-opened bytes", async (t) => {
  const plain = random(64);
  const box = new RepeatedSecretbox(plain, random(24), random(32));
  box.wipe();
  const scratch = new Uint8Array(96).fill(0xaa);
  t.throws(() => box.open(scratch), { name: "AssertionError" });
  t.ok(scratch.every((byte) => byte === 0));
});
