import { createPublicKey, X509Certificate } from "node:crypto";
import { existsSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { addressHint, isAddress } from "../../agent/address/index.ts";
import { createConfig } from "../../agent/config/index.ts";
import {
  attemptFolder,
  createDataFolder,
  type DataFolder,
  dataFolderAt,
  isFreePlace,
  makeFolders,
  syncFolder,
} from "../../agent/data-folder/index.ts";
import { createSealKey, type PassphraseCost, type Unlock } from "../../agent/seal-key/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import { toBase32, toHex } from "../../protocol/base/index.ts";
import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { nodeIdText, type SigningKey, sealingKeyFromSeed, signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { nodeRole, type RootDocument, signMember, signRoot } from "../../protocol/trust/index.ts";
import { dataFolderHolder, VaultAuditLog, vaultAuditStorage } from "../audit/index.ts";
import { createAuthority } from "../ca/index.ts";
import { firstConfig } from "../config.ts";
import { newVaultSeeds, putStatement, storeVaultSeeds, type VaultKeys, vaultKeysOf } from "../identity/index.ts";
import { ColumnSeal } from "../master-key/index.ts";
import { openVaultStore, type VaultTransaction } from "../store/index.ts";
import { VaultInitError } from "./codes.ts";

export interface InitOptions {
  /** The data folder; absent or empty. */
  readonly path: string;
  /** What the keys are sealed under; called with the folder while it is still beside its place, so that a key file can be put into it. */
  unlock(folder: DataFolder): Promise<Unlock>;
  /** Names audit logs and witnesses of this vault and its nodes. */
  readonly trustDomain: string;
  /** host:port for gateways. */
  readonly listen: string;
  readonly advertise: string | null;
  readonly version: string;
  readonly seams: Pick<Seams, "clock" | "timers" | "random">;
  readonly cost?: PassphraseCost;
}

export interface InitResult {
  /** Hexadecimal; it stands in no code and is what an auditor compares. */
  readonly vaultId: string;
  readonly nodeId: string;
  readonly folder: string;
  /** Sealed files to be carried away: they are needed to rotate the root and to recover passwords, and never to run. */
  readonly offlineKeys: readonly string[];
}

type NewVaultSeeds = ReturnType<typeof newVaultSeeds>;

const names = { vault: "vault", root: "root.sealed", recovery: "recovery.sealed" } as const;
const firstLog = 0;

/**
 * Makes a vault: root document, keys, certificate authority, store, configuration. All or nothing: it is built beside the folder and
 * moved into place at the end. Throws VAULT_FOLDER_NOT_EMPTY, VAULT_INIT_INVALID, and what unlocking and storing throw.
 */
export async function initVault(options: InitOptions): Promise<InitResult> {
  const path = resolve(options.path);
  const final = dataFolderAt(path);
  if (!/^[a-z0-9](?:[a-z0-9.-]{0,98}[a-z0-9])?$/.test(options.trustDomain)) {
    throw new VaultInitError(
      "VAULT_INIT_INVALID",
      "the trust domain is not 1 to 100 of a-z, 0-9, '.' and '-'",
      "Give --trust-domain a name such as plant.example, or leave it out.",
    );
  }
  for (const [name, address] of [["listen", options.listen] as const, ["advertise", options.advertise] as const]) {
    if (address === null || isAddress(address)) continue;
    throw new VaultInitError("VAULT_INIT_INVALID", `--${name} ${address} is no address`, addressHint);
  }
  if (!isFreePlace(path)) {
    throw new VaultInitError("VAULT_FOLDER_NOT_EMPTY", `${path} is not empty`, "Name another folder with --data DIR.");
  }
  makeFolders(dirname(path));
  const staging = join(dirname(path), `.${toBase32(options.seams.random(5))}`);
  try {
    const made = await build(createDataFolder(staging), options);
    // An empty folder that a package made beforehand gives way; anything put into it meanwhile stops us here.
    attemptFolder(`cannot put the vault into ${path}`, () => {
      if (existsSync(path)) rmdirSync(path);
      renameSync(staging, path);
      syncFolder(dirname(path));
    });
    return { ...made, folder: path, offlineKeys: [join(final.keys, names.root), join(final.keys, names.recovery)] };
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    throw error;
  }
}

async function build(folder: DataFolder, options: InitOptions): Promise<{ vaultId: string; nodeId: string }> {
  const { seams } = options;
  const { random, clock } = seams;
  const sealing = {
    unlock: await options.unlock(folder),
    random,
    ...(options.cost === undefined ? {} : { cost: options.cost }),
  };
  const seal = new ColumnSeal(await createSealKey({ path: folder.sealKey, ...sealing }), random);
  // The sealed file's own random key is the seed: the root's and the recovery's private keys never exist anywhere else.
  const rootSeed = await createSealKey({ path: join(folder.keys, names.root), ...sealing });
  const recoverySeed = await createSealKey({ path: join(folder.keys, names.recovery), ...sealing });
  const ca = createAuthority({ name: `Tidegate ${options.trustDomain}`, nowMs: clock.wallMs(), random });
  const seeds = withOwnCertificate(newVaultSeeds(random, ca), options);
  const keys = vaultKeysOf(seeds);
  const rootKey = rootSeed.use(signingKeyFromSeed);
  const recoveryKey = recoverySeed.use((seed) => sealingKeyFromSeed(seed).publicKey);
  for (const secret of [rootSeed, recoverySeed]) secret.wipe();
  const root = firstRoot(keys, { rootKey, recoveryKey, trustDomain: options.trustDomain });
  const vaultId = decodeEnvelope(root).id;

  const store = await openVaultStore({ path: folder.store, clock });
  const storage = vaultAuditStorage(firstLog, seal);
  const log = new VaultAuditLog({
    name: { trustDomain: options.trustDomain, node: nodeIdText(keys.identity.nodeId), serial: firstLog },
    logKey: keys.identity.log,
    witness: keys.witness,
    clock,
    random,
    interval: () => [clock.wallMs(), clock.wallMs()],
    store,
    storage,
    timers: seams.timers,
    failpoint: () => {},
    mirror: null,
    holder: dataFolderHolder,
    onFailed: () => {},
  });
  try {
    await store.transaction(async (tx) => {
      await storeVaultSeeds(seal, tx, seeds);
      await storage.write(tx).putEpochKey({ number: 0, seed: seeds.identity.epochSeed });
      await putStatement(tx, root, random);
      await putStatement(tx, vaultMember(keys, vaultId), random);
      await tx.insertInto("settings").values({ name: "vault-id", value: vaultId }).execute();
      await firstLeaves(log, tx, { keys, vaultId, version: options.version });
    });
    await log.checkpoint();
  } finally {
    await store.close();
    seal.wipe();
  }
  createConfig(folder.config, firstConfig(options));
  return { vaultId: toHex(vaultId), nodeId: nodeIdText(keys.identity.nodeId) };
}

function firstRoot(
  keys: VaultKeys,
  options: { rootKey: SigningKey; recoveryKey: Uint8Array; trustDomain: string },
): Uint8Array {
  const caKey = createPublicKey(keys.authority.certificate).export({ format: "der", type: "spki" });
  const document: RootDocument = {
    version: 1,
    vaultId: null,
    trustDomain: options.trustDomain,
    vaultEpoch: 1,
    rootKeys: [options.rootKey.publicKey],
    threshold: 1,
    bundleSigners: [keys.identity.signing.publicKey],
    sealingKeys: [keys.identity.sealing.publicKey],
    recoveryKey: options.recoveryKey,
    tlsCaKeys: [new Uint8Array(caKey)],
    witnessKeys: [keys.witness.publicKey],
  };
  return signRoot(document, [options.rootKey]);
}

function vaultMember(keys: VaultKeys, vaultId: Uint8Array): Uint8Array {
  const { identity } = keys;
  return signMember(
    {
      vaultId,
      nodeId: identity.nodeId,
      serial: 1,
      name: names.vault,
      role: nodeRole.vault,
      zone: names.vault,
      signKey: identity.signing.publicKey,
      sealKey: identity.sealing.publicKey,
      tlsKeyHash: identity.tls.spkiHash,
      logKey: identity.log.publicKey,
      epochKey: identity.epochKey,
      witnessKey: keys.witness.publicKey,
    },
    identity.signing,
  );
}

/** The vault's own certificate. Its names mean nothing: gateways check the key against the member statement. */
function withOwnCertificate(seeds: NewVaultSeeds, options: InitOptions): NewVaultSeeds {
  const { authority, identity } = vaultKeysOf(seeds);
  const publicKey = new Uint8Array(createPublicKey(identity.tls.key).export({ format: "der", type: "spki" }));
  const { clock, random } = options.seams;
  const own = authority.issue({ commonName: names.vault, hosts: [], publicKey, nowMs: clock.wallMs(), random });
  const tlsChain = [own, authority.certificate].map((pem) => new Uint8Array(new X509Certificate(pem).raw));
  return { ...seeds, identity: { ...seeds.identity, tlsChain } };
}

async function firstLeaves(
  log: VaultAuditLog,
  tx: VaultTransaction,
  made: { keys: VaultKeys; vaultId: Uint8Array; version: string },
): Promise<void> {
  const id = toHex(made.vaultId);
  const actor = { kind: "operator", id: "local" } as const;
  const subject = { kind: "node", id: nodeIdText(made.keys.identity.nodeId) } as const;
  await log.append(tx, { action: "vault.init", actor, subject, outcome: "ok", details: { version: made.version, rootId: id } });
  await log.append(tx, {
    action: "root.create",
    actor,
    subject: { kind: "root", id: "1" },
    outcome: "ok",
    details: { version: 1, id },
  });
}
