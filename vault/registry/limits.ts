import { maxPool } from "../../protocol/rotation/index.ts";

/** Values issued ahead to each account: an edge rotates that many times while it is alone. */
export const poolSize = maxPool;

/** Time between a change of a device's break-glass account and one of another; for a dry run only, the edge counts running time. */
export const breakGlassGapMs = 24 * 3_600_000;

/** How long an order waits unless the operator says otherwise, or the device's windows ask for more. */
export const usualOrderS = 3600;

/** Draws for a value that the account never had. At 1,000 possible values and 900 used ones, 200 fail once in 10^9. */
export const redraws = 200;

/** Sets of constraints that stay parsed: as many models as a plant has makes of devices. */
export const parsedConstraints = 64;

/** Leases of one application that run at once. */
export const leasesPerApplication = 64;

/** How long after a lease the rotation may still begin, seconds: an edge may be away for a month. */
export const orderAfterLeaseS = 31 * 24 * 3600;

/** Rules of how long values may be read: one for each zone and some for devices. */
export const freshnessRules = 256;
