import { setImmediate as turn } from "node:timers/promises";
import t from "tap";
import { LaterReads } from "../../agent/member/later-reads.ts";

t.test("a person's read is told after its answer, each once, and at the end what still waits", async (t) => {
  const told: string[] = [];
  const reads = new LaterReads((path, version, application) => void told.push(`${path} ${version} ${application}`));
  reads.add(["z/a/b", "1.0", "x"]);
  reads.add(["z/a/c", "1.2", "x"]);
  t.same(told, [], "the reader does not wait for it");
  await turn();
  t.same(told, [], "its answer is written at the end of this turn");
  await turn();
  t.same(told, ["z/a/b 1.0 x", "z/a/c 1.2 x"]);
  reads.add(["z/a/b", "1.1", "x"]);
  reads.tell();
  await turn();
  await turn();
  t.same(told.slice(2), ["z/a/b 1.1 x"]);
});
