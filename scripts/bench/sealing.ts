import { diffieHellman, encapsulate, generateKeyPairSync, hkdfSync, randomBytes, sign } from "node:crypto";
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

/** The calls into the runtime that a hybrid seal and a signature are made of, and nothing else: no bundle is made faster than this. */
function primitives(): () => void {
  const ed25519 = generateKeyPairSync("ed25519").privateKey;
  const mlKem = generateKeyPairSync("ml-kem-768").publicKey;
  const x25519 = generateKeyPairSync("x25519").publicKey;
  const message = random(2048);
  return () => {
    const { privateKey } = generateKeyPairSync("x25519", { publicKeyEncoding: { format: "jwk" } });
    const shared = diffieHellman({ privateKey, publicKey: x25519 });
    encapsulate(mlKem);
    hkdfSync("sha256", shared, "", message.subarray(0, 128), 64);
    sign(null, message, ed25519);
  };
}

/**
 * Sealing and signing one delta of one credential, the digests given. "A core" is a second of this process's CPU time: what other
 * processes take meanwhile is not counted. `numbers` has the rate by the clock on the wall too, and that of the bare primitives.
 */
export const sealingRow: Row = {
  name: "bundles sealed per second and core",
  target: ">= 3,000",
  async measure() {
    const { entries } = planSnapshot({ exported: new Map(), desired: [credential(1)], random });
    const digest = stateDigest(entries);
    const body = { ...emptyBody(digest, digest), entries: [...entries.values()] };
    const [sealing, primitive] = callRates([() => buildBundle({ header, body, signer, recipientKey }), primitives()]);
    if (sealing === undefined || primitive === undefined) throw new Error("two works have two rates");
    const { perCpuSecond, perSecond } = sealing;
    const barePerCpuSecond = primitive.perCpuSecond;
    const share = (perCpuSecond / barePerCpuSecond).toFixed(2);
    return {
      figure: `${thousands(perCpuSecond)}/s of CPU, ${share} of the bare primitives (${thousands(barePerCpuSecond)}/s)`,
      met: perCpuSecond >= 3000,
      numbers: { perCpuSecond, perSecond, barePerCpuSecond },
    };
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
