import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  emptyTree,
  encodeEntryBundle,
  encodeLeaf,
  foldHashes,
  hashLeaf,
  leafOf,
  originOf,
  planInclusion,
  rootOf,
  sequence,
  signCheckpoint,
  splitHashes,
  tilePath,
  tilesBetween,
  tileWidth,
} from "../../protocol/audit/index.ts";
import { concat, encodeTcbor } from "../../protocol/base/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { sealingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole, signMember, signRoot, startTrust, vaultIdOf } from "../../protocol/trust/index.ts";
import { eventAt, keys, name, node, seed } from "./audit-sample.ts";
import type { Row } from "./row.ts";

const verifier = fileURLToPath(new URL("audit-verify.ts", import.meta.url));

/** What the verifier's process tells. */
interface Verified {
  readonly ms: number;
  readonly maxRssKb: number;
  readonly findings: number;
}

const million = 1_000_000;
const limitMs = 15_000;
const limitMegabytes = 256;
const limitProof = 1_536;

/** An auditor's machine: a copy of a large log, alone and offline, in a process of its own. */
export const auditVerifyRow: Row = {
  name: "audit verify of 1,000,000 entries",
  target: `at most ${limitMs / 1000} s and ${limitMegabytes} MB; an inclusion proof at most ${limitProof} bytes`,
  async measure() {
    const folder = mkdtempSync(join(tmpdir(), "tidegate-bench-"));
    try {
      const leafBytes = writeLog(folder, million);
      const { ms, maxRssKb, findings } = JSON.parse(
        execFileSync(process.execPath, [verifier, folder], { encoding: "utf8" }),
      ) as Verified;
      const megabytes = maxRssKb / 1024;
      const places = [0, 1, 255, 256, 123_456, 500_000, million - 1];
      const proofBytes = 32 * Math.max(...places.map((index) => planInclusion(index, million).ranges.length));
      return {
        figure: `${(ms / 1000).toFixed(1)} s, ${megabytes.toFixed(0)} MB at most, entries of ${leafBytes.toFixed(0)} bytes; proof ${proofBytes} bytes`,
        met: findings === 0 && ms <= limitMs && megabytes <= limitMegabytes && proofBytes <= limitProof && leafBytes >= 250,
        numbers: { ms, megabytes, proofBytes, leafBytes, findings },
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

/** Writes a log's plain files, and returns how many bytes a leaf has in the middle. */
function writeLog(folder: string, size: number): number {
  const put = (path: string, bytes: Uint8Array) => {
    const full = join(folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, bytes);
  };
  let tree = emptyTree;
  let bytes = 0;
  let levels: Uint8Array[] = [];
  for (let first = 0; first < size; first += tileWidth) {
    const width = Math.min(tileWidth, size - first);
    const leaves = Array.from({ length: width }, (_, at) => leafAt(first + at));
    tree = sequence(tree, leaves).state;
    bytes += leaves.reduce((sum, leaf) => sum + leaf.length, 0);
    const place = { index: first / tileWidth, width };
    const hashes = concat(...leaves.map(hashLeaf));
    put(tilePath({ level: "entries", ...place }), encodeEntryBundle(leaves));
    put(tilePath({ level: 0, ...place }), hashes);
    if (width === tileWidth) levels.push(foldHashes(splitHashes(hashes)));
  }
  for (let level = 1; levels.length > 0; level += 1) {
    const places = tilesBetween(0, size).filter((each) => each.level === level);
    for (const place of places)
      put(tilePath(place), concat(...levels.slice(place.index * tileWidth, place.index * tileWidth + place.width)));
    levels = places
      .filter(({ width }) => width === tileWidth)
      .map(({ index }) => foldHashes(levels.slice(index * tileWidth, (index + 1) * tileWidth)));
  }
  put(
    "checkpoint",
    signCheckpoint(originOf(name), { size, root: rootOf(tree) }, { log: keys.log, epoch: keys.epoch, epochNumber: 0 }),
  );
  writeStatements(put);
  return bytes / size;
}

function leafAt(index: number): Uint8Array {
  const time = [1_795_000_000_000 + index, 1_795_000_001_000 + index] as const;
  const place = {
    log: 0,
    index,
    time,
    wallMs: 1_795_000_000_000 + index,
    boot: "0f0f0f0f-0000-4000-8000-0123456789ab",
    sinceBootMs: index,
    node,
  };
  return encodeLeaf(leafOf(eventAt(index), place));
}

function writeStatements(put: (path: string, bytes: Uint8Array) => void): void {
  const root = signRoot(
    {
      version: 1,
      vaultId: null,
      trustDomain: name.trustDomain,
      vaultEpoch: 1,
      rootKeys: [keys.root.publicKey],
      threshold: 1,
      bundleSigners: [keys.root.publicKey],
      sealingKeys: [sealingKeyFromSeed(seed(5)).publicKey],
      recoveryKey: sealingKeyFromSeed(seed(6)).publicKey,
      tlsCaKeys: [],
      witnessKeys: [],
    },
    [keys.root],
  );
  const vaultId = vaultIdOf(startTrust([root], { version: 1, id: decodeEnvelope(root).id }));
  const member = signMember(
    {
      vaultId,
      nodeId: keys.node.keyId,
      serial: 1,
      name: "edge-1",
      role: nodeRole.edge,
      zone: "hall-4",
      signKey: keys.node.publicKey,
      sealKey: sealingKeyFromSeed(seed(7)).publicKey,
      tlsKeyHash: seed(8),
      logKey: keys.log.publicKey,
      epochKey: keys.epoch.publicKey,
      witnessKey: null,
    },
    keys.root,
  );
  put("member.cbor", member);
  put("roots.cbor", encodeTcbor([root]));
}
