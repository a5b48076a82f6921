import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import t from "tap";
import {
  buildProof,
  decodeTreeState,
  emptyTree,
  encodeTreeState,
  GrowingTree,
  hashLeaf,
  planConsistency,
  planInclusion,
  planRoot,
  restorePlan,
  restoreTree,
  rootOf,
  sequence,
  type TreeState,
  verifyConsistency,
  verifyInclusion,
} from "../../../protocol/audit/index.ts";
import { toHex } from "../../../protocol/base/index.ts";

const hex = (text: string) => new Uint8Array(Buffer.from(text, "hex"));

/** Leaves, roots and proofs of the Certificate Transparency reference implementation for RFC 6962. */
const reference = {
  leaves: ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(hex),
  roots: [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ],
  inclusion: [
    { index: 0, size: 1, proof: [] },
    {
      index: 0,
      size: 8,
      proof: [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ],
    },
    {
      index: 5,
      size: 8,
      proof: [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ],
    },
    { index: 2, size: 3, proof: ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"] },
    {
      index: 1,
      size: 5,
      proof: [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ],
    },
  ],
  consistency: [
    { first: 1, second: 1, proof: [] },
    {
      first: 1,
      second: 8,
      proof: [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ],
    },
    {
      first: 6,
      second: 8,
      proof: [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ],
    },
    {
      first: 2,
      second: 5,
      proof: [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ],
    },
  ],
};

/** A tree whose rows are kept as a store keeps them. */
class Rows {
  readonly leaves: Uint8Array[] = [];
  readonly tiles = new Map<string, Uint8Array>();
  tree: TreeState = emptyTree;
  stored = encodeTreeState(emptyTree);

  append(leaves: readonly Uint8Array[]): void {
    const { state, rows } = sequence(this.tree, leaves);
    this.leaves.push(...rows.leaves);
    for (const { level, index, bytes } of rows.tiles) this.tiles.set(`${level}/${index}`, bytes);
    this.tree = state;
    this.stored = rows.state;
  }

  readonly tile = (level: number, index: number): Uint8Array => {
    const stored = this.tiles.get(`${level}/${index}`);
    if (stored !== undefined || level > 0) return stored ?? new Uint8Array(0);
    return Buffer.concat(this.leaves.slice(index * 256, (index + 1) * 256).map(hashLeaf));
  };

  restored(): TreeState {
    const plan = restorePlan(this.leaves.length);
    const tiles = plan.tiles.map(({ level, index }) => this.tile(level, index));
    return restoreTree(this.stored, this.leaves.slice(plan.leavesFrom), tiles);
  }

  root(size: number): Uint8Array {
    return rootOf({ peaks: buildProof(planRoot(size), this.tile) });
  }
}

/** RFC 6962 section 2.1 word for word. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length <= 1) return leaves[0] === undefined ? sha256() : sha256(Buffer.of(0), leaves[0]);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return sha256(Buffer.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

function sha256(...parts: Uint8Array[]): Buffer {
  return createHash("sha256").update(Buffer.concat(parts)).digest();
}

const numbered = (count: number) => Array.from({ length: count }, (_, index) => Buffer.from(`leaf ${index}`));

t.test("roots and proofs are those of the reference implementation", async (t) => {
  const rows = new Rows();
  t.equal(toHex(rootOf(rows.tree)), reference.roots[0]);
  for (const [index, leaf] of reference.leaves.entries()) {
    rows.append([leaf]);
    t.equal(toHex(rootOf(rows.tree)), reference.roots[index + 1]);
  }
  const head = (size: number) => ({ size, root: hex(reference.roots[size] as string) });
  for (const { index, size, proof } of reference.inclusion) {
    t.same(buildProof(planInclusion(index, size), rows.tile).map(toHex), proof, `inclusion of ${index} in ${size}`);
    verifyInclusion({
      leafHash: hashLeaf(reference.leaves[index] as Uint8Array),
      index,
      head: head(size),
      proof: proof.map(hex),
    });
  }
  for (const { first, second, proof } of reference.consistency) {
    t.same(buildProof(planConsistency(first, second), rows.tile).map(toHex), proof, `consistency of ${first} with ${second}`);
    verifyConsistency(head(first), head(second), proof.map(hex));
  }
});

t.test("the tree is the same however it was appended, stored and restored", async (t) => {
  const leaves = numbered(65_537);
  const sizes = [1, 2, 3, 255, 256, 257, 511, 512, 513, 65_537];
  const [batched, single] = [new Rows(), new Rows()];
  for (const size of sizes) {
    batched.append(leaves.slice(batched.tree.size, size));
    while (single.tree.size < Math.min(size, 600)) single.append([leaves[single.tree.size] as Uint8Array]);
    t.equal(toHex(rootOf(batched.tree)), toHex(naiveRoot(leaves.slice(0, size))), `root of ${size}`);
    t.same(batched.restored(), batched.tree, `restored at ${size}`);
    t.same(decodeTreeState(batched.stored), { size, peaks: batched.tree.peaks });
    if (size <= 513) t.same([single.tree, single.tiles], [batched.tree, batched.tiles], `one by one up to ${size}`);
    if (size === 513)
      for (const old of sizes.filter((one) => one <= size)) t.same(single.root(old), naiveRoot(leaves.slice(0, old)));
  }
  t.equal(batched.tiles.get("1/0")?.length, 8192);
  t.equal(batched.tiles.get("2/0")?.length, 32);
});

t.test("every proof between every two sizes verifies, and no other head does", async (t) => {
  const rows = new Rows();
  rows.append(numbered(1100));
  const roots = Array.from({ length: 1101 }, (_, size) => rows.root(size));
  const head = (size: number) => ({ size, root: roots[size] as Uint8Array });
  const sizes = [...Array.from({ length: 18 }, (_, size) => size), 255, 256, 257, 300, 512, 767, 768, 1023, 1024, 1025, 1100];
  let [accepted, refused] = [0, 0];
  for (const second of sizes) {
    for (const first of sizes.filter((size) => size <= second)) {
      const proof = buildProof(planConsistency(first, second), rows.tile);
      verifyConsistency(head(first), head(second), proof);
      if (first === 0 || first === second) continue;
      const wrong = { size: first, root: hashLeaf(Buffer.from("other")) };
      const claims = [
        () => verifyConsistency(wrong, head(second), proof),
        () => verifyConsistency(head(first), { size: second, root: wrong.root }, proof),
        () => verifyConsistency(head(first), head(second), proof.slice(1)),
        () => verifyConsistency(head(first), head(second), [...proof, wrong.root]),
      ];
      accepted += claims.filter((claim) => codeOf(claim) !== "AUDIT_PROOF_INVALID").length;
      refused += claims.length;
    }
    for (const index of sizes.filter((size) => size < second)) {
      const proof = buildProof(planInclusion(index, second), rows.tile);
      const leafHash = hashLeaf(rows.leaves[index] as Uint8Array);
      verifyInclusion({ leafHash, index, head: head(second), proof });
      const other = { leafHash: hashLeaf(Buffer.from("other")), index, head: head(second), proof };
      if (codeOf(() => verifyInclusion(other)) !== "AUDIT_PROOF_INVALID") accepted += 1;
    }
  }
  t.equal(accepted, 0);
  t.ok(refused > 1000);
});

function codeOf(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? "none";
  }
}

t.test("a proof that is misshapen is refused", async (t) => {
  const head = (size: number, byte: number) => ({ size, root: new Uint8Array(32).fill(byte) });
  const hash = new Uint8Array(32);
  const cases: [string, () => void][] = [
    ["from the newer tree to the older", () => verifyConsistency(head(2, 1), head(1, 1), [])],
    ["two roots for one size", () => verifyConsistency(head(2, 1), head(2, 2), [])],
    ["hashes where none are needed", () => verifyConsistency(head(0, 1), head(2, 2), [hash])],
    ["no hashes where some are needed", () => verifyConsistency(head(3, 1), head(4, 2), [])],
    ["a hash of 31 bytes", () => verifyConsistency(head(1, 1), head(2, 2), [hash.subarray(1)])],
    ["more hashes than a tree of 2^53 needs", () => verifyConsistency(head(1, 1), head(2, 2), Array(108).fill(hash))],
    ["a leaf beyond the tree", () => verifyInclusion({ leafHash: hash, index: 2, head: head(2, 1), proof: [] })],
  ];
  for (const [name, run] of cases) t.throws(run, { code: "AUDIT_PROOF_INVALID" }, name);
});

t.test("a stored tree that its leaves and tiles do not lead to is refused", async (t) => {
  const rows = new Rows();
  rows.append(numbered(700));
  const plan = restorePlan(700);
  const leaves = rows.leaves.slice(plan.leavesFrom);
  const tiles = plan.tiles.map(({ level, index }) => rows.tile(level, index));
  const swapped = leaves.with(0, leaves[1] as Uint8Array);
  const flipped = tiles.map((tile) => tile.with(3, 0));
  const cases: [string, () => void][] = [
    ["a leaf is another", () => restoreTree(rows.stored, swapped, tiles)],
    ["a leaf is missing", () => restoreTree(rows.stored, leaves.slice(1), tiles)],
    ["a tile is another", () => restoreTree(rows.stored, leaves, flipped)],
    ["a tile is missing", () => restoreTree(rows.stored, leaves, [null])],
    ["the state is no TCBOR", () => decodeTreeState(Buffer.of(1, 2))],
    ["the state has a peak too few", () => decodeTreeState(encodeTreeState({ size: 3, peaks: [leaves[0] as Uint8Array] }))],
  ];
  for (const [name, run] of cases) t.throws(run, { code: "AUDIT_STATE_MALFORMED" }, name);
  t.throws(() => buildProof(planRoot(700), () => new Uint8Array(32)), { code: "AUDIT_TILE_MALFORMED" });
});

t.test(
  "leaves that are added a few at a time make the rows of one append, and what was made before does not change",
  async (t) => {
    const leaves = Array.from({ length: 1200 }, (_, at) => Uint8Array.of(at >> 8, at));
    for (const [from, ...cuts] of [
      [0, 1, 3, 256],
      [250, 251, 256, 257, 700],
      [255, 256, 512, 1199],
    ] as const) {
      const before = sequence(emptyTree, leaves.slice(0, from)).state;
      const growing = new GrowingTree(before);
      const ends = [...cuts, 1200];
      const made = ends.map((end) => {
        growing.add(leaves.slice(growing.size, end));
        return growing.grown();
      });
      t.same(
        made,
        ends.map((end) => sequence(before, leaves.slice(from, end))),
      );
      t.same(before, sequence(emptyTree, leaves.slice(0, from)).state);
    }
  },
);

t.test("a runtime without WebAssembly makes the same tree", async (t) => {
  const door = new URL("../../../protocol/audit/index.ts", import.meta.url).href;
  const program = `
    import { emptyTree, rootOf, sequence } from ${JSON.stringify(door)};
    delete globalThis.WebAssembly;
    const leaves = Array.from({ length: 700 }, (_, at) => Buffer.from("leaf " + at));
    console.log(Buffer.from(rootOf(sequence(emptyTree, leaves).state)).toString("hex"));`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "--eval", program], {
    encoding: "utf8",
    env: {},
  });
  t.equal(stdout.trim(), toHex(naiveRoot(numbered(700))), stderr);
});
