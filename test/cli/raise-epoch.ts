import { join } from "node:path";
import { openSealKey } from "../../agent/seal-key/index.ts";
import { signingKeyFromSeed } from "../../protocol/keys/index.ts";
import { newestRoot, signRoot, vaultIdOf } from "../../protocol/trust/index.ts";
import type { MediaRig } from "./media-rig.ts";

/** Has the vault take a root that raises its epoch, as after a restore: what was issued before is void. */
export async function raiseEpoch(rig: MediaRig): Promise<void> {
  const { folder, core } = rig.vault;
  const unlock = { kind: "key-file", path: join(folder, "..", "key") } as const;
  const secret = await openSealKey({ path: join(folder, "keys", "root.sealed"), unlock });
  const key = secret.use((seed) => signingKeyFromSeed(seed));
  const trust = await core.store.read((tx) => core.trust.read(tx));
  const { document } = newestRoot(trust);
  const { version, vaultEpoch } = document;
  const root = signRoot({ ...document, version: version + 1, vaultId: vaultIdOf(trust), vaultEpoch: vaultEpoch + 1 }, [key]);
  await rig.vault.call("POST", "/v1/root", { root: Buffer.from(root).toString("base64") });
}
