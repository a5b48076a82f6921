import { createHash } from "node:crypto";
import { Authentication, AuthProtocols, Encryption, PrivProtocols } from "net-snmp";
import t from "tap";
import { keyChange, localizedKey, privacyKey } from "../../firmware-adapters/snmp/index.ts";

const engine = Buffer.from("000000000000000000000002", "hex");
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const zeros = (length: number) => new Uint8Array(length);

t.test("keys and changes match RFC 3414, appendices A.3.2 and A.5.2", async (t) => {
  const oldKey = localizedKey("SHA-1", Buffer.from("maplesyrup"), engine);
  const newKey = localizedKey("SHA-1", Buffer.from("newsyrup"), engine);
  t.equal(hex(oldKey), "6695febc9288e36282235fc7151f128497b38f3f");
  t.equal(hex(newKey), "78e2dcce79d59403b58c1bbaa5bff46391f1cd25");
  const change = keyChange("SHA-1", oldKey, newKey, zeros(20));
  t.equal(hex(change), `${"00".repeat(20)}9c1017f4fd483d2de8d5fadbf84392cb06457051`);
  const short = keyChange("SHA-1", oldKey.slice(0, 16), newKey.slice(0, 16), zeros(16));
  t.equal(hex(short), `${"00".repeat(16)}7ef8d8a4c9cdb26b47591cd852ff88b5`);
});

t.test("keys agree with those that the SNMP library makes, for every hash and both key extensions", async (t) => {
  const hashes = {
    "SHA-1": "sha",
    "SHA-224": "sha224",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
  } as const;
  const engineId = Buffer.from("80001f888059dc486145a26322", "hex");
  for (const [hash, name] of Object.entries(hashes) as [keyof typeof hashes, (typeof hashes)[keyof typeof hashes]][]) {
    const library = Reflect.get(Authentication, "passwordToKey")(AuthProtocols[name], "correct horse battery", engineId);
    t.equal(hex(localizedKey(hash, Buffer.from("correct horse battery"), engineId)), hex(library), hash);
    for (const [extension, make, cipher] of [
      ["blumenthal", "generateLocalizedKeyBlumenthal", PrivProtocols.aes256b],
      ["reeder", "generateLocalizedKeyReeder", PrivProtocols.aes256r],
    ] as const) {
      const algorithm = Reflect.get(Reflect.get(Encryption, "algorithms"), cipher);
      const key = Reflect.get(Encryption, make)(algorithm, AuthProtocols[name], "correct horse battery", engineId);
      const ours = privacyKey({ hash, cipher: "AES-256", extension }, Buffer.from("correct horse battery"), engineId);
      t.equal(hex(ours), hex(key), `${hash} ${extension}`);
    }
  }
});

/** What an agent does with a KeyChange value (RFC 3414 section 5), written apart from the code under test. */
function applied(algorithm: string, oldKey: Uint8Array, value: Uint8Array): string {
  const length = value.length / 2;
  const newKey = Buffer.alloc(length);
  let temporary: Uint8Array = oldKey;
  for (let at = 0; at < length; at += temporary.length) {
    temporary = createHash(algorithm).update(temporary).update(value.subarray(0, length)).digest();
    for (let i = at; i < Math.min(at + temporary.length, length); i += 1)
      newKey[i] = (temporary[i - at] ?? 0) ^ (value[length + i] ?? 0);
  }
  return newKey.toString("hex");
}

t.test("an agent gets from the old key to the new one, also where one hash is shorter than the key", async (t) => {
  for (const [hash, algorithm, length] of [
    ["SHA-1", "sha1", 20],
    ["SHA-1", "sha1", 32],
    ["SHA-224", "sha224", 32],
    ["SHA-256", "sha256", 16],
    ["SHA-512", "sha512", 64],
  ] as const) {
    const oldKey = new Uint8Array(length).map((_, index) => index);
    const newKey = new Uint8Array(length).map((_, index) => 255 - index);
    const random = new Uint8Array(length).map((_, index) => index * 7);
    t.equal(applied(algorithm, oldKey, keyChange(hash, oldKey, newKey, random)), hex(newKey), `${hash}, ${length} bytes`);
  }
});
