/** States of nodes kept in memory, so that a change need not open all of a node's entries again. */
export const cachedNodes = 256;

/** Entries of all kept states together: twenty of the largest nodes at once, or about 500 MB at the most. */
export const cachedEntries = 1_000_000;

/** Accounts that are looked up one by one; beyond it one pass over the whole table is cheaper. */
export const singleLookups = 8;

/** Unacknowledged bundles after which the next one is a snapshot that folds them: a quarter of what a sender and a mailbox take. */
export const foldBundlesAt = 256;

/** Roots that ride beside one bundle; a carrier takes as many. A node that slept through more gets the rest with the next. */
export const mostRootsBeside = 32;

/** An issue that takes less keeps nobody waiting, ms. */
export const leastIssueMs = 5;

/** Share of the time that changes which may wait spend on being issued to one node. */
export const issueShare = 0.25;

/** A change is not put off longer, ms. */
export const longestPutOffMs = 10_000;

/** When issuing what was put off is tried again after the store failed, ms. */
export const putOffRetryMs = 10_000;
