import t from "tap";
import { createNarrator } from "../../cli/demo/narrator.ts";

const step = (line: string) => `${line.padEnd(40)}`;

t.test("a step that fails is told as FAILED, one that was interrupted as interrupted and once", async (t) => {
  for (const interrupt of [false, true]) {
    let told = "";
    const tell = createNarrator({ write: (text: string) => (told += text) });
    const broken = tell.step("the vault runs", async () => {
      if (interrupt) tell.interrupt();
      throw new Error("its process is gone");
    });
    await t.rejects(broken, { message: "its process is gone" });
    tell.interrupt();
    const first = `${step(" 1  the vault runs")}${interrupt ? "interrupted" : "FAILED"}\n`;
    t.equal(told, interrupt ? first : `${first}interrupted\n`);
  }
});

t.test("a step that still comes to its end after the interruption says no more", async (t) => {
  let told = "";
  const tell = createNarrator({ write: (text: string) => (told += text) });
  await tell.step("the edge joins", async () => {
    tell.interrupt();
    return { says: "joined", value: null };
  });
  t.notMatch(told, /joined/);
});
