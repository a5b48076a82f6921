import type { Fields, Freshness } from "../../protocol/content/index.ts";
import type { UseWindow } from "../../protocol/time/index.ts";

/** Where the API gets what it serves. Edge and gateway differ only here. */
export interface CredentialSource {
  /** The credential at `path` as it is now, or null where there is none or no value yet. */
  find(path: string): ReadableCredential | null;
}

/** One credential, without its secret. */
export interface ReadableCredential {
  readonly username: string;
  /** Version as text, `epoch.number`; the ETag. */
  readonly version: string;
  /** `vault`: the value came as current from the vault. `rotation`: it became current by a rotation here. */
  readonly source: "vault" | "rotation";
  /** When this version became current here, in since-boot milliseconds; negative before this boot. */
  readonly currentSinceMs: number;
  readonly rotation: "idle" | "in-progress";
  /** ISO 8601, or null. */
  readonly expiresAt: string | null;
  /** How long it may be read without the vault; null or left out for ever. */
  readonly freshness?: Freshness | null;
  /** New copies of the secret fields; the caller wipes them. */
  openFields(): Fields;
  /** Other values that may be live now, in the order to try; each costs a login, so there are few. */
  alternates(): readonly AlternateValue[];
}

/** A value beside the served one. */
export interface AlternateValue {
  readonly version: string;
  /** New copies of the secret fields; the caller wipes them. */
  openFields(): Fields;
}

/** A registered application as the API needs it. */
export interface ApplicationRecord {
  /** 16 bytes in hexadecimal. */
  readonly id: string;
  readonly name: string;
  /** SHA-256 (32 bytes) of the token's text. */
  readonly tokenHash: Uint8Array;
  /** Path patterns. */
  readonly grants: readonly string[];
  /** Grants with an end. */
  readonly leases: readonly { readonly pattern: string; readonly window: UseWindow }[];
  /** True where a person reads with its token. */
  readonly person: boolean;
}

/** A read as the audit log notes it, refused ones too. */
export interface ReadEvent {
  /** Application id in hexadecimal; null where the caller is not known. */
  readonly application: string | null;
  readonly path: string;
  /** Null where nothing was read. */
  readonly version: string | null;
  readonly outcome: "read" | "unchanged" | "refused";
  /** Why it was refused, where neither the token nor a grant was the reason. */
  readonly code?: string;
  /** Where a caller who is not known came from: an IP address, or `local`. */
  readonly address?: string;
  /** True where a person read or was refused. */
  readonly person: boolean;
}

/** One thing that health depends on. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, or since when; never a secret. */
  readonly detail: string;
}

export interface Health {
  /** False: `/healthz` is red. Stale identity or relay, stopped store, lost clock. */
  readonly checks: readonly HealthCheck[];
  /** False until credentials can be read; `/readyz`. */
  readonly ready: boolean;
}

/** Where the API listens. */
export type ApiListener =
  | { readonly kind: "unix"; readonly path: string; readonly mode: number }
  /** Plain HTTP; loopback addresses only. */
  | { readonly kind: "loopback"; readonly address: string; readonly port: number }
  /** `on` is an address of this machine or the name of a network interface. */
  | { readonly kind: "tls"; readonly on: string; readonly port: number; readonly hosts: readonly string[] };
