import t from "tap";
import { type InRoom, Lanes } from "../../edge/rotation/lanes.ts";

/** Work that ends when the test says so. */
class Works {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  work(name: string): (inRoom: InRoom) => Promise<void> {
    return (inRoom) => inRoom(() => this.#begin(name));
  }

  /** Work that holds room only for its first half. */
  halves(name: string): (inRoom: InRoom) => Promise<void> {
    return async (inRoom) => {
      await inRoom(() => this.#begin(name));
      await this.#begin(`rest of ${name}`);
    };
  }

  #begin(name: string): Promise<void> {
    this.begun.push(name);
    return new Promise((resolve) => this.#ends.set(name, resolve));
  }

  async end(name: string): Promise<void> {
    this.#ends.get(name)?.();
    await settled();
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test("one after the other in a lane, lanes side by side, and no more at once than there is room for", async (t) => {
  const works = new Works();
  const lanes = new Lanes(2);
  for (const [lane, name] of [
    ["a", "a1"],
    ["a", "a2"],
    ["b", "b1"],
    ["c", "c1"],
    ["d", "d1"],
  ] as const)
    lanes.add(lane, works.work(name));
  await settled();
  t.same(works.begun, ["a1", "b1"]);
  await works.end("a1");
  t.same(works.begun, ["a1", "b1", "c1"], "whoever waited longest; a lane's next waits behind it");
  await works.end("b1");
  t.same(works.begun.slice(3), ["d1"]);
  await works.end("c1");
  t.same(works.begun.slice(4), ["a2"]);
  const idle = lanes.idle().then(() => "idle");
  await works.end("a2");
  await works.end("d1");
  t.equal(await idle, "idle");
});

t.test("work that fails gives its room back", async (t) => {
  const lanes = new Lanes(1);
  const works = new Works();
  lanes.add("a", (inRoom) =>
    inRoom(() => {
      throw new Error("failed");
    }),
  );
  const failed = lanes.idle();
  lanes.add("b", works.work("b1"));
  await t.rejects(failed, { message: "failed" });
  await settled();
  t.same(works.begun, ["b1"]);
  await works.end("b1");
});

t.test("what comes after the exchange keeps the lane but no room", async (t) => {
  const works = new Works();
  const lanes = new Lanes(1);
  lanes.add("a", works.halves("a1"));
  lanes.add("a", works.work("a2"));
  lanes.add("b", works.work("b1"));
  await settled();
  t.same(works.begun, ["a1"]);
  await works.end("a1");
  t.same(works.begun, ["a1", "b1", "rest of a1"], "the device's own next waits until its answer is written down");
  await works.end("b1");
  t.same(works.begun.slice(3), []);
  await works.end("rest of a1");
  t.same(works.begun.slice(3), ["a2"]);
  await works.end("a2");
  await lanes.idle();
});
