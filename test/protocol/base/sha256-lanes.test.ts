import { createHash } from "node:crypto";
import t from "tap";
import { AssertionError, maxLaneBytes, maxLaneMessages, Sha256Lanes } from "../../../protocol/base/index.ts";
import { sha256Module } from "../../../protocol/base/sha256-module.ts";

const lanes = Sha256Lanes.ofRuntime() as Sha256Lanes;

/** By the runtime, one after another. */
function expected(first: number, messages: readonly Uint8Array[]): string {
  return messages.map((message) => createHash("sha256").update(Uint8Array.of(first)).update(message).digest("hex")).join("");
}

/** Bytes that differ from each other, from one place to the next and from one message to the next. */
function messageOf(length: number, salt: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) * 7 + salt * 113) & 0xff);
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

t.test("messages of every length are hashed as the runtime hashes them, however many and however mixed", async (t) => {
  const byLength = Array.from({ length: 700 }, (_, length) => messageOf(length, length));
  for (let from = 0; from < byLength.length; from += maxLaneMessages) {
    const messages = byLength.slice(from, from + maxLaneMessages);
    t.equal(hexOf(lanes.hashEach(from & 0xff, messages)), expected(from & 0xff, messages));
  }
  for (let count = 0; count <= 9; count += 1) {
    const alike = Array.from({ length: count }, (_, salt) => messageOf(428, salt));
    const mixed = alike.map((_, at) =>
      messageOf([0, 54, 55, 56, 118, 119, maxLaneBytes - 1, maxLaneBytes][(at * 5) % 8] ?? 0, at),
    );
    for (const messages of [alike, mixed]) t.equal(hexOf(lanes.hashEach(0, messages)), expected(0, messages), `${count}`);
  }
});

t.test("pairs are hashed as the runtime hashes them", async (t) => {
  for (let count = 0; count <= maxLaneMessages / 2; count += 1) {
    const pairs = messageOf(64 * count, count);
    const messages = Array.from({ length: count }, (_, at) => pairs.subarray(64 * at, 64 * (at + 1)));
    if (hexOf(lanes.hashPairs(1, pairs)) !== expected(1, messages)) t.fail(`${count} pairs`);
  }
});

t.test("more than there is room for is refused", async (t) => {
  const one = messageOf(1, 1);
  t.equal(lanes.hashEach(0, Array(maxLaneMessages).fill(one)).length, maxLaneMessages * 32);
  t.throws(() => lanes.hashEach(0, Array(maxLaneMessages + 1).fill(one)), AssertionError);
  t.throws(() => lanes.hashEach(0, [messageOf(maxLaneBytes + 1, 1)]), AssertionError);
  t.throws(() => lanes.hashPairs(1, messageOf(64 * (maxLaneMessages / 2 + 1), 1)), AssertionError);
  t.throws(() => lanes.hashPairs(1, messageOf(32, 1)), AssertionError);
});

t.test("a module that hashes wrong in one bit is not used", async (t) => {
  const module = sha256Module();
  // The last round's constant, as it stands in the code.
  const at = Buffer.from(module).lastIndexOf(Uint8Array.of(0xf2, 0x78, 0x71, 0xc6));
  t.ok(at > 0);
  module[at] = (module[at] as number) ^ 1;
  t.equal(Sha256Lanes.ofRuntime(module), null);
  t.equal(Sha256Lanes.ofRuntime(module.subarray(0, -1)), null, "nor is one that is cut");
});
