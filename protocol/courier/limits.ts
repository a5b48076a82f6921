/** Bytes of an item in one part: a ping waits at most 15 s behind it on a 9.6 kbit/s radio. */
export const partBytes = 16_384;

/** Part payloads that may be under way to a receiver; a quarter of a second of 10 Mbit/s, and what an idle peer costs nothing. */
export const creditWindowBytes = 262_144;

/** Credit is renewed in steps of this, so that a slow sender hears from its peer more often than pings are due. */
export const creditStepBytes = 32_768;

/** Unspent credit that a sender accepts: a receiver that gives more has lost count. */
export const maxOutstandingCredit = 67_108_864;

/** Items whose parts may interleave, so that one large snapshot does not hold up the other mailboxes. */
export const maxItemsBegun = 4;

/** Bytes of items taken from the outbox and not yet sent; a gateway has thousands of sessions. */
export const maxQueuedBytes = 4_194_304;

/** Items sent and not yet answered. */
export const maxInFlight = 64;

/** Of those, for one mailbox. */
export const maxInFlightPerMailbox = 16;

/** Largest item a receiver takes unless it is told otherwise: 50,000 entries. The format's own limit is the carrier's. */
export const practicalItemBytes = 16_777_216;

/** Bytes of whole items that wait for the store before credit stops. */
export const maxBacklogBytes = 8_388_608;

/** Whole items that wait for the store before credit stops. */
export const maxBacklogItems = 256;

/** A full mailbox is offered again after this. */
export const fullRetryMs = 60_000;

/** Items refused in this session that are remembered, so that they are not offered again at once. */
export const maxRefusedRemembered = 1_024;

/** Items that we refused in mid-course and whose parts may still arrive; more than one window holds. */
export const maxDiscarded = 64;
