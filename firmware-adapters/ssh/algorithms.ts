import type { Algorithms, ServerHostKeyAlgorithm } from "ssh2";

const modern = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
  ],
  serverHostKey: [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
  ],
  cipher: ["aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr"],
  hmac: ["hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512"],
} as const;

/** What gear from before about 2015 needs besides; each is broken or weak by now. */
const legacy = {
  kex: ["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"],
  serverHostKey: ["ssh-rsa"],
  cipher: ["aes128-cbc", "aes256-cbc", "3des-cbc"],
  hmac: ["hmac-sha1"],
} as const;

/**
 * What is offered to a device, strongest first. The host key of the pinned type goes first, so that a device with several
 * keys shows the one that is known. No compression: lengths would tell about secrets.
 */
export function algorithmsFor(kind: "modern" | "legacy", pinnedType: string | null): Algorithms {
  const old = kind === "legacy";
  const hostKeys: ServerHostKeyAlgorithm[] = [...modern.serverHostKey, ...(old ? legacy.serverHostKey : [])];
  const isPinned = (name: ServerHostKeyAlgorithm) => keyTypeOf(name) === pinnedType;
  return {
    kex: [...modern.kex, ...(old ? legacy.kex : [])],
    serverHostKey: [...hostKeys.filter(isPinned), ...hostKeys.filter((name) => !isPinned(name))],
    cipher: [...modern.cipher, ...(old ? legacy.cipher : [])],
    hmac: [...modern.hmac, ...(old ? legacy.hmac : [])],
    compress: ["none"],
  };
}

/** RFC 8332: the SHA-2 signatures are made with keys of type ssh-rsa. */
function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith("rsa-sha2-") ? "ssh-rsa" : algorithm;
}
