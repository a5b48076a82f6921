import { X509Certificate } from "node:crypto";
import type { CodeRow, VaultTransaction } from "../store/index.ts";
import type { VaultCore } from "../streams/index.ts";

/** Stores the certificate of a node's TLS key in place of any that it had. */
export async function storeCertificate(
  core: VaultCore,
  tx: VaultTransaction,
  join: { nodeId: Uint8Array; code: CodeRow; tlsKey: Uint8Array },
): Promise<void> {
  await tx.deleteFrom("certificates").where("node_id", "=", join.nodeId).execute();
  const { authority } = core.keys;
  const own = authority.issue({
    commonName: join.code.name,
    hosts: JSON.parse(join.code.hosts) as string[],
    publicKey: join.tlsKey,
    nowMs: core.clock.wallMs(),
    random: core.random,
  });
  for (const [place, pem] of [own, authority.certificate].entries()) {
    const certificate = new Uint8Array(new X509Certificate(pem).raw);
    await tx.insertInto("certificates").values({ node_id: join.nodeId, place, certificate }).execute();
  }
}
