import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import t from "tap";
import { keepTickShape } from "../../cli/frame/index.ts";

t.test("what is kept is the object of a nextTick call, and it outlives a full collection", async (t) => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const kept = new WeakRef(await keepTickShape());
  await new Promise(setImmediate);
  collect();
  const tick = kept.deref();
  t.ok(tick !== undefined && "callback" in tick && "args" in tick, "Node still makes them so");
});
