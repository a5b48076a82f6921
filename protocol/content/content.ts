import type { VersionIndex } from "../bundle/index.ts";
import type { WeekWindow } from "../time/index.ts";
import type { Fields } from "./fields.ts";

/** Entry types by the name used in code. A number, once given, never means anything else. */
export const entryType = {
  device: 1,
  account: 2,
  credential: 3,
  application: 4,
  order: 5,
  tombstone: 6,
  conduit: 7,
  model: 8,
  certificate: 9,
  lease: 10,
  freshness: 11,
} as const;

export type ContentKind = keyof typeof entryType;

/** A target. Its id is the entry's id. */
export interface DeviceContent {
  readonly kind: "device";
  readonly name: string;
  readonly zone: string;
  /** Name of a published or custom model. */
  readonly model: string;
  readonly host: string;
  readonly port: number;
  /** What the model asks for beyond host and port, by ascending name. */
  readonly settings: ReadonlyMap<string, string>;
  /** IANA name of the time zone that `windows` are meant in. */
  readonly timeZone: string;
  /** When a rotation may begin; none = always. */
  readonly windows: readonly WeekWindow[];
  /** An operator's hold: nothing new starts, what is unfinished is finished. */
  readonly held: boolean;
}

/** When an account's credential is changed. An adopted account starts with `never`: adopting rotates nothing. */
export const rotatePolicies = ["never", "on-demand", "interval"] as const;
export type RotatePolicy = (typeof rotatePolicies)[number];

/** A login on a device. Its id is the entry's id. */
export interface AccountContent {
  readonly kind: "account";
  /** 16 bytes. */
  readonly deviceId: Uint8Array;
  /** `zone/device/account`. */
  readonly path: string;
  readonly username: string;
  readonly rotate: RotatePolicy;
  /** Seconds between two rotations; set exactly where `rotate` is `interval`. */
  readonly intervalS: number | null;
  /** True where the account may be rotated without knowing the time. */
  readonly windowless: boolean;
  /** 32 bytes. */
  readonly fingerprintKey: Uint8Array;
  /** The way in for an emergency: never changed together with another account of the device. */
  readonly breakGlass: boolean;
  /** Accounts that share a login and change together, 16 bytes. */
  readonly group: Uint8Array | null;
  /** The account, 16 bytes, that sets this one's password where no candidate works. */
  readonly reconcileBy: Uint8Array | null;
  /** Sum of {@link rotateOnBit}: events after which the account is rotated. */
  readonly rotateOn: number;
  /** Every gateway that serves the account holds the values of the pool. */
  readonly consumersReady: boolean;
}

/** Events after which an account is rotated: a person read its value, or an older value came back on the device. */
export const rotateOnBit = { personRead: 1, revert: 2 } as const;

/** Every bit of {@link rotateOnBit}. */
export const allRotateOn = 3;

/** What a version is for: in use, next in the pool, or held for remote consumers until the edge has switched. */
export const credentialRoles = ["current", "pool", "pending"] as const;
export type CredentialRole = (typeof credentialRoles)[number];

/** One version of an account's secret fields. */
export interface CredentialContent {
  readonly kind: "credential";
  readonly accountId: Uint8Array;
  readonly index: VersionIndex;
  readonly role: CredentialRole;
  readonly fields: Fields;
  /** 32 bytes. */
  readonly fingerprint: Uint8Array;
}

/** A registered consumer of credentials. */
export interface ApplicationContent {
  readonly kind: "application";
  readonly name: string;
  /** SHA-256 of the token, 32 bytes. */
  readonly tokenHash: Uint8Array | null;
  /** User id that the Unix socket's peer must have. */
  readonly uid: number | null;
  /** Path patterns that it may read. */
  readonly grants: readonly string[];
  readonly disabled: boolean;
  /** True where a person reads with its token: what was read is rotated afterwards where the account says so. */
  readonly person: boolean;
}

/** A grant with an end: it holds within the entry's authority window and nowhere else. */
export interface LeaseContent {
  readonly kind: "lease";
  /** 16 bytes. */
  readonly applicationId: Uint8Array;
  /** Path pattern. */
  readonly pattern: string;
}

/** `reconcile`: another account of the device sets the password where no candidate works. */
export const orderActions = ["verify", "rotate", "reconcile"] as const;
export type OrderAction = (typeof orderActions)[number];

/** Why an order was given. */
export const orderCauses = ["operator", "person-read", "lease-end", "revert", "leak", "group", "fleet"] as const;
export type OrderCause = (typeof orderCauses)[number];

/** Do one thing once, within the entry's authority window; the entry's id is the order's. */
export interface OrderContent {
  readonly kind: "order";
  readonly accountId: Uint8Array;
  readonly action: OrderAction;
  readonly cause: OrderCause;
  /** Also outside the device's windows. */
  readonly now: boolean;
}

/**
 * Ends all versions up to `upTo` of what `type` and `id` name: for credentials the account's id and the credential's index,
 * else the entry's own id and index.
 */
export interface TombstoneContent {
  readonly kind: "tombstone";
  readonly type: number;
  readonly id: Uint8Array;
  readonly upTo: VersionIndex;
}

/** An edge whose mailbox this gateway keeps. */
export interface ConduitContent {
  readonly kind: "conduit";
  /** 20 bytes. */
  readonly nodeId: Uint8Array;
  readonly name: string;
}

/** A custom model. */
export interface ModelContent {
  readonly kind: "model";
  readonly name: string;
  readonly yaml: string;
}

/** The chain for the recipient's own TLS key; the entry's id is the first 16 bytes of its node id. */
export interface CertificateContent {
  readonly kind: "certificate";
  /** X.509, DER: the node's own first, then its issuers; 1 to 4. */
  readonly chain: readonly Uint8Array[];
}

/** What a reader is told of a value that was not confirmed for too long: nothing, a warning, or the value no more. */
export const stalePolicies = ["serve", "warn", "deny"] as const;
export type StalePolicy = (typeof stalePolicies)[number];

/**
 * How long what the pattern covers may be read without the vault having been heard, and where it may be kept. Of several rules the
 * strictest counts in each point.
 */
export interface FreshnessContent {
  readonly kind: "freshness";
  /** Path pattern. */
  readonly pattern: string;
  /** Silence of the vault from which on values count as stale, seconds; null for never. */
  readonly staleAfterS: number | null;
  /** What is done with stale values. */
  readonly whenStale: StalePolicy;
  /** Silence after which nothing is served for certain, also where the clock only cannot exclude it, seconds; null for never. */
  readonly ttlS: number | null;
  /** True: a node keeps these values in its memory alone, never on its disk. */
  readonly memoryOnly: boolean;
}

export type Content =
  | DeviceContent
  | AccountContent
  | CredentialContent
  | ApplicationContent
  | OrderContent
  | TombstoneContent
  | ConduitContent
  | ModelContent
  | CertificateContent
  | LeaseContent
  | FreshnessContent;
