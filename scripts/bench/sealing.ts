import { randomBytes } from "node:crypto";
import {
  buildBundle,
  bundleKind,
  type DesiredEntry,
  direction,
  emptyBody,
  type HeaderContext,
  planDelta,
  planSnapshot,
  stateDigest,
} from "../../protocol/bundle/index.ts";
import { encodeContent, fingerprintOf, makeFields } from "../../protocol/content/index.ts";
import { importSealingPublicKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { callRates, type Row, thousands } from "./row.ts";

const random = (length: number) => new Uint8Array(randomBytes(length));
const signer = signingKeyFromSeed(random(32));
const recipientKey = importSealingPublicKey(sealingKeyFromSeed(random(32)).publicKey);

const header: Omit<HeaderContext, "signer" | "sealingKeyId"> = {
  vaultId: random(32),
  vaultEpoch: 1,
  direction: direction.down,
  recipient: random(20),
  root: { version: 1, id: random(32) },
  seq: 2,
  prev: random(32),
  kind: bundleKind.delta,
  issuedAt: { lo: 1_795_000_000, hi: 1_795_000_000 },
  nonce: random(16),
  answers: [],
  ack: null,
  auditHead: null,
  provenHead: null,
  boot: null,
};

function credential(number: number): DesiredEntry {
  const fields = makeFields([["password", random(24)]]);
  const index = { epoch: 1, number };
  const fingerprint = fingerprintOf(random(32), fields);
  const content = encodeContent({ kind: "credential", accountId: random(16), index, role: "current", fields, fingerprint });
  return { ...content, id: random(16), index, authority: null };
}

/**
 * Sealing and signing one delta of one credential, the digests given. "A core" is a second of this process's CPU time: what other
 * processes take meanwhile is not counted. `numbers` has the rate by the clock on the wall too.
 */
export const sealingRow: Row = {
  name: "bundles sealed per second and core",
  target: ">= 3,000",
  async measure() {
    const { entries } = planSnapshot({ exported: new Map(), desired: [credential(1)], random });
    const digest = stateDigest(entries);
    const body = { ...emptyBody(digest, digest), entries: [...entries.values()] };
    const { perCpuSecond, perSecond } = callRates(() => buildBundle({ header, body, signer, recipientKey }));
    return { figure: `${thousands(perCpuSecond)}/s of CPU`, met: perCpuSecond >= 3000, numbers: { perCpuSecond, perSecond } };
  },
};

/** The whole carrier of a delta that changes one credential of ten thousand. */
export const deltaSizeRow: Row = {
  name: "one changed credential of 10,000, on the wire",
  target: "< 4,096 bytes",
  async measure() {
    const desired = Array.from({ length: 10_000 }, (_, i) => credential(i + 1));
    const exported = planSnapshot({ exported: new Map(), desired, random }).entries;
    const changed = desired.map((entry, i) => (i === 5000 ? { ...credential(20_000), id: entry.id } : entry));
    const plan = planDelta({ exported, desired: changed, random });
    if (plan === null) throw new Error("the plan found no change");
    const bytes = buildBundle({ header, body: plan.body, signer, recipientKey }).carrier.length;
    return { figure: `${thousands(bytes)} bytes`, met: bytes < 4096, numbers: { bytes } };
  },
};
