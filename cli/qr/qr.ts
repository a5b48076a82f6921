import { PNG } from "pngjs";
import { encode } from "uqr";

/** Modules of quiet ground that a reader wants around a code. */
const quietModules = 4;
/** Pixels of a module: a code of an enrolment prints at about eight centimetres at 200 dots an inch. */
const modulePixels = 8;

/** On a screen nothing is smudged or torn, and a checkpoint's code is to stay within 80 columns. */
const onScreen = { ecc: "L", border: 2 } as const;
const onPaper = { ecc: "M", border: quietModules } as const;

/**
 * The code as lines for a terminal: two rows of modules a line, with `colours` black on white whatever the terminal's own are; without, as
 * in a file, the blocks are the dark modules.
 */
export function qrLines(text: string, colours = true): string[] {
  const { dark, size } = modulesOf(text, onScreen);
  const lines: string[] = [];
  for (let row = 0; row < size; row += 2) {
    let line = "";
    for (let column = 0; column < size; column += 1) {
      const [upper, lower] = [dark(row, column), dark(row + 1, column)];
      line += upper ? (lower ? "█" : "▀") : lower ? "▄" : " ";
    }
    lines.push(colours ? `\u001b[30;107m${line}\u001b[0m` : line);
  }
  return lines;
}

/** The code as a PNG in shades of grey. */
export function qrPng(text: string): Uint8Array {
  const { dark, size } = modulesOf(text, onPaper);
  const width = size * modulePixels;
  const data = Buffer.alloc(width * width, 0xff);
  for (let y = 0; y < width; y += 1) {
    for (let x = 0; x < width; x += 1) {
      if (dark(Math.floor(y / modulePixels), Math.floor(x / modulePixels))) data[y * width + x] = 0;
    }
  }
  const png = new PNG({ width, height: width, colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false });
  png.data = data;
  return new Uint8Array(PNG.sync.write(png, { colorType: 0, inputColorType: 0, inputHasAlpha: false }));
}

function modulesOf(
  text: string,
  how: typeof onScreen | typeof onPaper,
): { dark(row: number, column: number): boolean; readonly size: number } {
  const { data, size } = encode(text, how);
  return { dark: (row, column) => data[row]?.[column] === true, size };
}
