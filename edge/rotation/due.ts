/** Why an account is to be rotated although nobody ordered it. */
export const dueCauses = ["person-read", "revert"] as const;

/** A rotation that an event calls for: durable, and begun when the time is known to have come. */
export interface Due {
  readonly cause: (typeof dueCauses)[number];
  /** Seconds since 1970. */
  readonly atS: number;
}
