/** How long a statement waits for another process's transaction, ms. Ours last well under 50 ms. */
export const busyTimeoutMs = 5_000;

/** Prepared statements kept; the vault's code has fewer distinct ones, and IN lists of many lengths must not grow it. */
export const preparedStatements = 256;
