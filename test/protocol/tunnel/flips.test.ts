import t from "tap";
import { Pair } from "./rig.ts";

/** A copy with one bit turned; the sender keeps what it sent. */
function flipped(message: Uint8Array | undefined, bit: number): Uint8Array {
  const copy = Uint8Array.from(message ?? []);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}

/** The messages of a handshake in the order of their delivery, and who reads each. */
const messages = [
  { name: "M1", reader: "listener" },
  { name: "M2", reader: "dialler" },
  { name: "M3", reader: "listener" },
  { name: "the dialler's heads", reader: "listener" },
  { name: "the listener's heads", reader: "dialler" },
] as const;

/** Runs a handshake whose message `target` has one bit turned; true where both sides are then content. */
function survives(target: number, bit: number): boolean {
  const pair = new Pair();
  for (const [index, { reader }] of messages.slice(0, target + 1).entries()) {
    const line = reader === "listener" ? pair.toListener : pair.toDialler;
    if (index === target) line[0] = flipped(line[0], bit);
    pair.step(reader);
  }
  pair.run();
  return pair.code("dialler") === null && pair.code("listener") === null;
}

/**
 * Every bit of M1 and of the frames. M2 and M3 are two thirds member statement, whose own tests turn every bit: of them, every byte of
 * the fields before it, of what follows it, and each eleventh between, one bit each.
 */
function bitsOf(target: number, size: number): number[] {
  const bits = Array.from({ length: size * 8 }, (_, bit) => bit);
  if (target !== 1 && target !== 2) return bits;
  const chosen = (at: number) => at < 150 || at >= size - 70 || at % 11 === 0;
  return bits.filter((bit) => chosen(bit >> 3) && (bit & 7) === (bit >> 3) % 8);
}

t.test("a handshake of which no bit is turned opens the session", (t) => {
  t.ok(new Pair().run().open);
  t.end();
});

for (const [target, { name, reader }] of messages.entries()) {
  t.test(`a bit turned in ${name} ends the session`, (t) => {
    const honest = new Pair();
    for (const { reader: earlier } of messages.slice(0, target)) honest.step(earlier);
    const size = (reader === "listener" ? honest.toListener : honest.toDialler)[0]?.length ?? 0;
    t.ok(size > 40, `${size} bytes`);
    t.same(
      bitsOf(target, size).filter((bit) => survives(target, bit)),
      [],
    );
    t.end();
  });
}
