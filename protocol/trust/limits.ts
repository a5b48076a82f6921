/** Root versions accepted in one go; an older node catches up in several. */
export const maxRootsAtOnce = 32;

/** Roots of one stored trust state: a rotation a week for seventy years. */
export const maxStoredRoots = 4_000;

/** Root keys of one document: enough for any quorum, few enough for one envelope's signatures. */
export const maxRootKeys = 16;

/** Vault instances that may sign bundles at one time. */
export const maxBundleSigners = 8;

/** Vault sealing keys at one time: the newest, and older ones that reports under way were sealed to. */
export const maxVaultSealingKeys = 4;

/** TLS certificate authorities at one time, for the time of a change. */
export const maxTlsCaKeys = 4;

/** Audit witnesses that a root names. */
export const maxWitnessKeys = 16;

/** Nodes of one revoked list: what fits an envelope of 16 KiB at 31 bytes each. */
export const maxRevoked = 500;

/** Members that one node remembers: the vault's fleet; at 2 KB each 20 MB. */
export const maxMembers = 10_000;

/** Bytes of a trust domain; an audit log's origin holds it and has 255. */
export const maxTrustDomainBytes = 100;
