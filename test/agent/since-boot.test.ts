import t from "tap";
import { sinceBootOf } from "../../agent/seams/index.ts";

/** Both clocks of a machine that can be suspended. */
class Machine {
  bootMs = 5_000;
  monotonicMs = 5_000;
  looks = 0;
  readonly clocks = {
    bootSeconds: () => {
      this.looks += 1;
      return this.bootMs / 1000;
    },
    monotonicNs: () => BigInt(Math.round(this.monotonicMs * 1e6)),
  };

  runs(ms: number): void {
    this.bootMs += ms;
    this.monotonicMs += ms;
  }

  sleeps(ms: number): void {
    this.bootMs += ms;
  }
}

t.test("time since boot goes on with the fast clock between two looks at the slow one", async (t) => {
  const machine = new Machine();
  const sinceBootMs = sinceBootOf(machine.clocks);
  t.equal(sinceBootMs(), 5_000);
  for (let i = 0; i < 99; i += 1) machine.runs(1);
  t.equal(sinceBootMs(), 5_099);
  t.equal(machine.looks, 1);
  machine.runs(1);
  t.equal(sinceBootMs(), 5_100);
  t.equal(machine.looks, 2);
});

t.test("a suspend counts, at the latest a tenth of a second after it", async (t) => {
  const machine = new Machine();
  const sinceBootMs = sinceBootOf(machine.clocks);
  sinceBootMs();
  machine.sleeps(86_400_000);
  machine.runs(100);
  t.equal(sinceBootMs(), 5_000 + 86_400_000 + 100);
});

t.test("time never runs backwards, where the slow clock is a little behind the fast one", async (t) => {
  const machine = new Machine();
  const sinceBootMs = sinceBootOf(machine.clocks);
  sinceBootMs();
  machine.runs(99);
  const before = sinceBootMs();
  machine.runs(1);
  machine.bootMs -= 10;
  t.equal(sinceBootMs(), before);
});
