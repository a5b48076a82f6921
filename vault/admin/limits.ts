/** Alarms of one answer, newest first. */
export const alarmsPerAnswer = 100;

/** Accounts that one call registers with their device; no make has shown more than a dozen. */
export const accountsPerDevice = 32;

/** How long an order may wait for its edge: a week covers a link that comes up at weekends. */
export const longestOrderS = 7 * 24 * 3600;

/** How long an order waits unless the operator says otherwise. */
export const usualOrderS = 3600;

/** Constraints of a model, bytes of JSON: eight fields with a thousand forbidden words each fit in no manual. */
export const constraintsBytes = 64 * 1024;

/** Zones, models or patterns that one fleet rotation names: a longer list is a pattern not thought of. */
export const fleetFilters = 64;
