import {
  type IdentitySeeds,
  identityOf,
  type NewIdentity,
  type NodeIdentity,
  newIdentitySeeds,
} from "../../agent/identity/index.ts";
import {
  asBytes,
  asBytesUpTo,
  asList,
  asTuple,
  decodeTcbor,
  encodeTcbor,
  type Random,
  type Tcbor,
  utf8,
} from "../../protocol/base/index.ts";
import { type SigningKey, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { Authority } from "../ca/index.ts";
import type { ColumnSeal } from "../master-key/index.ts";
import type { VaultTransaction } from "../store/index.ts";

/** The vault's own private keys, opened. Its signing key signs bundles and statements. */
export interface VaultKeys {
  readonly identity: NodeIdentity;
  readonly authority: Authority;
  /** Cosigns heads of other nodes' audit logs. */
  readonly witness: SigningKey;
}

/** What is stored of them. */
export interface VaultSeeds {
  readonly identity: IdentitySeeds;
  readonly ca: { readonly privateKey: Uint8Array; readonly certificate: string };
  /** 32 bytes. */
  readonly witness: Uint8Array;
}

const maxKeyBytes = 512;
const maxCertificateBytes = 8 * 1024;

/** Draws the vault's keys, and the seed of its audit log's first epoch; `ca` comes from vault/ca. */
export function newVaultSeeds(random: Random, ca: VaultSeeds["ca"]): VaultSeeds & { readonly identity: NewIdentity } {
  return { identity: newIdentitySeeds(random), ca, witness: random(32) };
}

/** The keys of these seeds. */
export function vaultKeysOf(seeds: VaultSeeds): VaultKeys {
  return {
    identity: identityOf(seeds.identity),
    authority: new Authority(seeds.ca),
    witness: signingKeyFromSeed(seeds.witness),
  };
}

/** Seals the seeds into the store. */
export async function storeVaultSeeds(seal: ColumnSeal, tx: VaultTransaction, seeds: VaultSeeds): Promise<void> {
  const { signing, sealing, log, epochKey, tlsKey, tlsChain } = seeds.identity;
  await put(seal, tx, "identity", [signing, sealing, log, epochKey, tlsKey, tlsChain]);
  // PEM has line ends, which TCBOR text may not: its bytes are stored.
  await put(seal, tx, "ca", [seeds.ca.privateKey, utf8(seeds.ca.certificate)]);
  await put(seal, tx, "witness", [seeds.witness]);
}

/** Opens the stored seeds. Throws MASTER_KEY_OPEN_FAILED. */
export async function loadVaultSeeds(seal: ColumnSeal, tx: VaultTransaction): Promise<VaultSeeds> {
  const [signing, sealing, log, epochKey, tlsKey, tlsChain] = await get(seal, tx, "identity", 6);
  const [privateKey, certificate] = await get(seal, tx, "ca", 2);
  const [witness] = await get(seal, tx, "witness", 1);
  return {
    identity: {
      signing: asBytes(signing, "signing", 32),
      sealing: asBytes(sealing, "sealing", 32),
      log: asBytes(log, "log", 32),
      epochKey: asBytes(epochKey, "epochKey", 32),
      tlsKey: asBytesUpTo(tlsKey, "tlsKey", maxKeyBytes),
      tlsChain: asList(tlsChain, "tlsChain", 4).map((each) => asBytesUpTo(each, "tlsChain", maxCertificateBytes)),
    },
    witness: asBytes(witness, "witness", 32),
    ca: {
      privateKey: asBytesUpTo(privateKey, "ca", maxKeyBytes),
      certificate: Buffer.from(asBytesUpTo(certificate, "ca", maxCertificateBytes)).toString("utf8"),
    },
  };
}

async function put(seal: ColumnSeal, tx: VaultTransaction, name: string, value: Tcbor): Promise<void> {
  const plaintext = encodeTcbor(value);
  await tx
    .insertInto("secrets")
    .values({ name, value_sealed: seal.seal(place(name), plaintext) })
    .execute();
  plaintext.fill(0);
}

async function get(seal: ColumnSeal, tx: VaultTransaction, name: string, length: number): Promise<readonly Tcbor[]> {
  const row = await tx.selectFrom("secrets").select("value_sealed").where("name", "=", name).executeTakeFirstOrThrow();
  const plaintext = seal.open(place(name), row.value_sealed);
  const value = asTuple(decodeTcbor(plaintext), name, length);
  plaintext.fill(0);
  return value;
}

function place(name: string) {
  return { table: "secrets", row: utf8(name), column: "value" };
}
