import { PNG } from "pngjs";
import t from "tap";
import { encode } from "uqr";
import { qrLines, qrPng } from "../../cli/qr/qr.ts";

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
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const shown = modulesOfLines(qrLines(text)).slice(0, size);
  t.same(shown, data);
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
});
