// Writes protocol/vectors/tcbor.json.
import type { VectorCase } from "../vectors-check/vector-file.ts";
import { writeVectors } from "./write-vectors.ts";

const accepted: readonly [string, string][] = [
  ["0", "00"],
  ["23 in the head", "17"],
  ["24 in one byte", "1818"],
  ["255 in one byte", "18ff"],
  ["256 in two bytes", "190100"],
  ["65536 in four bytes", "1a00010000"],
  ["2^32 in eight bytes", "1b0000000100000000"],
  ["2^53 - 1", "1b001fffffffffffff"],
  ["an empty byte string", "40"],
  ["a text of two bytes a letter", "62c3bc"],
  ["a text that is a byte order mark", "63efbbbf"],
  ["U+007F in a text", "617f"],
  ["an empty array", "80"],
  ["an array of false, true, null", "83f4f5f6"],
  ["an empty map", "a0"],
  ["a map with keys 1 and 24", "a20100181800"],
  ["eight arrays around a number", "818181818181818100"],
];

const refused: readonly [string, string][] = [
  ["nothing", ""],
  ["a byte after the value", "0000"],
  ["23 in one byte", "1817"],
  ["255 in two bytes", "1900ff"],
  ["65535 in four bytes", "1a0000ffff"],
  ["2^32 - 1 in eight bytes", "1b00000000ffffffff"],
  ["2^53", "1b0020000000000000"],
  ["a head that ends early", "19ff"],
  ["a negative number", "20"],
  ["a tag", "c000"],
  ["undefined", "f7"],
  ["a half float", "f93c00"],
  ["a simple value in one byte", "f8f4"],
  ["an indefinite byte string", "5f41ff"],
  ["an indefinite array", "9f00ff"],
  ["a break alone", "ff"],
  ["a reserved length", "1c"],
  ["a byte string that ends early", "420a"],
  ["a byte string whose length is not shortest", "580100"],
  ["a text that is not UTF-8", "61ff"],
  ["a text with an overlong form", "62c0af"],
  ["a text with a lone surrogate", "63eda080"],
  ["a text with U+0000", "6100"],
  ["a text with U+001F", "611f"],
  ["an array of one without items", "81"],
  ["an array of 2^32 - 1 without items", "9affffffff"],
  ["a map of 2^32 - 1 without items", "baffffffff"],
  ["a map whose keys descend", "a202000100"],
  ["a map with a key twice", "a201000100"],
  ["a map with a text as key", "a1616100"],
  ["nine arrays around a number", "81818181818181818100"],
];

const cases: VectorCase[] = [
  ...accepted.map(([name, bytes]) => ({ name, expect: "ok", kind: "tcbor", bytes })),
  ...refused.map(([name, bytes]) => ({ name, expect: "TCBOR_MALFORMED", kind: "tcbor", bytes })),
];
writeVectors("tcbor", { area: "tcbor", about: "Single values; what is accepted encodes to the same bytes.", cases });
