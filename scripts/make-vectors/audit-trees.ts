// Cases of protocol/vectors/audit.json: trees, proofs, tile paths and entry bundles.
import {
  buildProof,
  emptyTree,
  encodeEntryBundle,
  hashLeaf,
  planConsistency,
  planInclusion,
  rootOf,
  sequence,
} from "../../protocol/audit/index.ts";
import { concat, toHex } from "../../protocol/base/index.ts";
import type { VectorCase } from "../vectors-check/vector-file.ts";

/* Trees and proofs: the leaves of the Certificate Transparency reference implementation, then 256 more. */

const reference = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const leaves = [
  ...reference.map((hex) => Buffer.from(hex, "hex")),
  ...Array.from({ length: 248 }, (_, index) => Buffer.from(`leaf ${index + 8}`)),
];
const tile = concat(...leaves.map(hashLeaf));
const head = (size: number) => rootOf(sequence(emptyTree, leaves.slice(0, size)).state);
const hexOf = (size: number) => leaves.slice(0, size).map((leaf) => toHex(leaf));
/** Roots. */
export const treeCases: VectorCase[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 255, 256].map((size) => ({
  name: `the root over ${size} leaves`,
  expect: "ok",
  kind: "tree",
  leaves: hexOf(size),
  root: head(size),
}));
const inclusions = [
  [0, 1],
  [0, 8],
  [5, 8],
  [2, 3],
  [1, 5],
  [7, 8],
  [6, 7],
  [200, 256],
].map(([index, size]) => {
  const [at, of] = [index as number, size as number];
  const proof = buildProof(planInclusion(at, of), () => tile).map((hash) => toHex(hash));
  return { kind: "inclusion", index: at, size: of, leafHash: hashLeaf(leaves[at] as Uint8Array), root: head(of), proof };
});
const consistencies = [
  [0, 5],
  [1, 1],
  [1, 8],
  [6, 8],
  [2, 5],
  [4, 8],
  [7, 8],
  [3, 256],
].map(([first, second]) => {
  const [from, to] = [first as number, second as number];
  const proof = buildProof(planConsistency(from, to), () => tile).map((hash) => toHex(hash));
  return { kind: "consistency", first: from, second: to, firstRoot: head(from), secondRoot: head(to), proof };
});
const zero = "00".repeat(32);
/** Proofs, whole and damaged. */
export const proofCases: VectorCase[] = [
  ...inclusions.map((one) => ({
    name: `leaf ${one.index} is in the tree of ${one.size}`,
    expect: "ok",
    ...one,
    leaves: hexOf(one.size),
  })),
  ...consistencies.map((one) => ({
    name: `${one.first} leaves are a beginning of ${one.second}`,
    expect: "ok",
    ...one,
    leaves: hexOf(one.second),
  })),
  ...inclusions.slice(1).flatMap((one) => [
    {
      name: `leaf ${one.index} in ${one.size}: a hash too few`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: one.proof.slice(1),
    },
    {
      name: `leaf ${one.index} in ${one.size}: a hash too many`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: [...one.proof, zero],
    },
    { name: `leaf ${one.index} in ${one.size}: another leaf`, expect: "AUDIT_PROOF_INVALID", ...one, leafHash: zero },
  ]),
  ...consistencies.slice(2).flatMap((one) => [
    { name: `${one.first} in ${one.second}: a hash too few`, expect: "AUDIT_PROOF_INVALID", ...one, proof: one.proof.slice(1) },
    {
      name: `${one.first} in ${one.second}: a hash too many`,
      expect: "AUDIT_PROOF_INVALID",
      ...one,
      proof: [...one.proof, zero],
    },
    { name: `${one.first} in ${one.second}: another old root`, expect: "AUDIT_PROOF_INVALID", ...one, firstRoot: zero },
    { name: `${one.first} in ${one.second}: another new root`, expect: "AUDIT_PROOF_INVALID", ...one, secondRoot: zero },
  ]),
];

/* Tiles. */

/** Paths of tiles. */
export const tileCases: VectorCase[] = [
  ...(
    [
      ["tile/0/000", { level: 0, index: 0, width: 256 }],
      ["tile/0/x001/x234/067", { level: 0, index: 1_234_067, width: 256 }],
      ["tile/63/x001/000.p/255", { level: 63, index: 1000, width: 255 }],
      ["tile/entries/999.p/1", { level: "entries", index: 999, width: 1 }],
    ] as const
  ).map(([path, at]) => ({ name: `the path ${path}`, expect: "ok", kind: "tile path", path, place: at })),
  ...[
    "tile/0/67",
    "tile/0/x000/067",
    "tile/00/067",
    "tile/64/067",
    "tile/0/067.p/0",
    "tile/0/067.p/256",
    "tile/0/067.p/01",
    "tile/entries/x067",
    "../tile/0/067",
  ].map((path) => ({
    name: `no path: ${path}`,
    expect: "AUDIT_TILE_PATH",
    kind: "tile path",
    path,
  })),
];
const bundle = encodeEntryBundle(leaves.slice(1, 4));
/** Entry bundles. */
export const bundleCases: VectorCase[] = [
  { name: "an entry bundle of three", expect: "ok", kind: "entry bundle", bytes: bundle, leaves: hexOf(4).slice(1) },
  ...(
    [
      ["empty", new Uint8Array(0)],
      ["cut in a length", bundle.subarray(0, 4)],
      ["cut in an entry", bundle.subarray(0, -1)],
      ["of 257", new Uint8Array(514)],
      ["with an entry of 8,193 bytes", concat(Uint8Array.of(0x20, 0x01), new Uint8Array(8193))],
    ] as const
  ).map(([name, bytes]) => ({ name: `no entry bundle: ${name}`, expect: "AUDIT_TILE_MALFORMED", kind: "entry bundle", bytes })),
];
