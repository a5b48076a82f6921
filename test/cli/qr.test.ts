import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { PNG } from "pngjs";
import t from "tap";
import { encode } from "uqr";
import type { Frame } from "../../cli/frame/index.ts";
import { giveQr } from "../../cli/qr/index.ts";
import { qrLines, qrPng } from "../../cli/qr/qr.ts";
import { shortFolder } from "../support/short-folder.ts";

const text = "TG1-ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z2345-67ABC";

/** The modules that a terminal shows. */
function modulesOfLines(lines: readonly string[]): boolean[][] {
  const rows: boolean[][] = [];
  for (const line of lines) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal
    const cells = [...line.replaceAll(/\u001b\[[0-9;]*m/g, "")];
    rows.push(
      cells.map((cell) => cell === "█" || cell === "▀"),
      cells.map((cell) => cell === "█" || cell === "▄"),
    );
  }
  return rows;
}

t.test("terminal and PNG show the modules of the code, with quiet ground around", async (t) => {
  const onScreen = encode(text, { ecc: "L", border: 2 });
  t.same(modulesOfLines(qrLines(text)).slice(0, onScreen.size), onScreen.data);
  t.same(modulesOfLines(qrLines(text, false)).slice(0, onScreen.size), onScreen.data);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours of a terminal
  t.notMatch(qrLines(text, false).join(), /\u001b/, "a file gets no colours");
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const png = PNG.sync.read(Buffer.from(qrPng(text)));
  const pixel = (x: number, y: number) => png.data[(y * png.width + x) * 4] === 0;
  const side = png.width / size;
  t.equal(png.height, png.width);
  t.equal(Number.isInteger(side), true);
  const seen = data.map((row, y) => row.map((_, x) => pixel(x * side + 1, y * side + 1)));
  t.same(seen, data);
  t.notOk(seen.slice(0, 4).flat().includes(true), "nothing stands in the quiet ground");
});

t.test("an enrolment code and a checkpoint fit", async (t) => {
  t.ok(qrLines("TG1-".padEnd(400, "A")).length < 60);
  t.ok(qrLines(`plant.example/tidegate/1/log/\n— ${"ü".repeat(300)}`).length < 80);
  const checkpoint = `tidegate.internal/tidegate/1/log/\n${"c".repeat(400)}`;
  t.ok((qrLines(checkpoint, false)[0] ?? "").length <= 80, "a checkpoint of a vault by its usual name fits the usual terminal");
});

t.test("a picture of a code is its owner's alone, and never written over another file", async (t) => {
  const path = join(shortFolder(t), "code.png");
  const said: string[] = [];
  const frame = { colours: true, output: { say: (line: string) => said.push(line) } } as unknown as Frame;
  giveQr(frame, text, { qrPng: path, qr: true });
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.equal(PNG.sync.read(readFileSync(path)).width % 8, 0);
  t.same(said, qrLines(text));
  t.throws(() => giveQr(frame, text, { qrPng: path }), { code: "CLI_FILE" });
});
