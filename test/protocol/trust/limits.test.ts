import t from "tap";
import { decodeTcbor, encodeTcbor, type Tcbor, TidegateError } from "../../../protocol/base/index.ts";
import { decodeRoot, decodeTrust, encodeRoot, signRoot } from "../../../protocol/trust/index.ts";
import { sampleRoot, sampleSealer, sampleSigner } from "../sample-vault.ts";

/** The code that `run` ends with, or "ok". */
function outcome(run: () => unknown): string {
  try {
    run();
    return "ok";
  } catch (error) {
    if (error instanceof TidegateError) return error.code;
    throw error;
  }
}

/** The sample root's payload with one key of the map replaced. */
function withKey(key: number, value: Tcbor): Uint8Array {
  const map = new Map(decodeTcbor(encodeRoot(sampleRoot())) as Map<number, Tcbor>);
  return encodeTcbor(map.set(key, value));
}

const signers = Array.from({ length: 17 }, (_, index) => sampleSigner(100 + index).publicKey).sort(Buffer.compare);
const sealers = Array.from({ length: 5 }, (_, index) => sampleSealer(100 + index).publicKey);
const authorities = Array.from({ length: 5 }, (_, index) => {
  const spki = new Uint8Array(91).fill(index);
  spki.set(Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex"));
  return spki;
});

t.test("each list of a root has its smallest and largest size", async (t) => {
  const lists: [name: string, key: number, items: readonly Uint8Array[], least: number, most: number][] = [
    ["root keys", 5, signers, 1, 16],
    ["bundle signers", 7, signers, 1, 8],
    ["sealing keys", 8, sealers, 1, 4],
    ["TLS CA keys", 10, authorities, 0, 4],
    ["witness keys", 11, signers, 0, 16],
  ];
  for (const [name, key, items, least, most] of lists) {
    const take = (count: number) => outcome(() => decodeRoot(withKey(key, items.slice(0, count))));
    if (least > 0) t.equal(take(least - 1), "TRUST_MALFORMED", `${least - 1} ${name}`);
    for (const count of [least, most - 1, most]) t.equal(take(count), "ok", `${count} ${name}`);
    t.equal(take(most + 1), "TRUST_MALFORMED", `${most + 1} ${name}`);
  }
});

t.test("a trust domain has one to a hundred characters of its own", async (t) => {
  const cases: [string, string][] = [
    ["", "TRUST_MALFORMED"],
    ["a", "ok"],
    ["a".repeat(99), "ok"],
    ["a".repeat(100), "ok"],
    ["a".repeat(101), "TRUST_MALFORMED"],
    ["plant-4.example", "ok"],
    ["-plant", "TRUST_MALFORMED"],
    ["plant.", "TRUST_MALFORMED"],
    ["plant/4", "TRUST_MALFORMED"],
    ["plant+4", "TRUST_MALFORMED"],
  ];
  for (const [domain, result] of cases)
    t.equal(
      outcome(() => decodeRoot(withKey(3, domain))),
      result,
      domain,
    );
});

t.test("a stored trust state holds one to four thousand roots", async (t) => {
  const envelope = signRoot(sampleRoot(), [sampleSigner(1)]);
  const stored = (count: number) =>
    outcome(() => decodeTrust(encodeTcbor(["tidegate-trust/1", Array(count).fill(envelope), [], null])));
  t.equal(stored(0), "TRUST_DAMAGED");
  t.equal(stored(1), "ok");
  for (const count of [3_999, 4_000]) t.equal(stored(count), "ok");
  t.equal(stored(4_001), "TRUST_DAMAGED");
});
