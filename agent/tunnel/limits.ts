/** Connections that shake hands at a time; the others wait, unread. A handshake costs 3 ms of one core, and over a radio 3 s of waiting. */
export const maxHandshakes = 128;

/** The same from one address, so that nobody alone holds up the rest. */
export const maxHandshakesPerAddress = 64;

/** Connections that wait for their turn: a gateway's 10,000 edges, all at once after a power failure, perhaps behind one address translator. */
export const maxWaiting = 10_240;

/** Connections that the system keeps for us between two turns of the event loop; it takes less where its own limit is lower. */
export const listenBacklog = 4_096;

/** From its turn to being known: TLS, upgrade and the three messages. */
export const unknownPeerMs = 20_000;

/** From dialling to a WebSocket that stands, the proxy's part included: a listener to which a whole plant returns lets each wait its turn. */
export const dialMs = 60_000;

/** What an HTTP proxy may answer to CONNECT, header and all. */
export const maxProxyAnswerBytes = 16_384;

/** The file of an inspecting proxy's authorities. */
export const maxInspectionCaBytes = 262_144;

/** How long the other end may take to answer a WebSocket close before the connection is cut. */
export const closeTimeoutMs = 2_000;

/** Header of an upgrade request: ours has 300 bytes. */
export const maxHttpHeaderBytes = 4_096;

/** Sent but not yet taken by the socket, before parts of items wait. */
export const sendQueueBytes = 131_072;

/** The same before a peer counts as one that sends without reading: acknowledgements and pongs to it pile up. */
export const floodQueueBytes = 4_194_304;

/** Steps of a session that wait for the store (a root to be kept, heads to be read). */
export const maxWaitingSteps = 1_024;

/** Back-off between dials: full jitter from the least to a ceiling that doubles up to the most. */
export const leastBackOffMs = 500;
export const mostBackOffMs = 60_000;

/** A session of this age makes the next back-off begin at the least again. */
export const steadySessionMs = 60_000;

/** Join requests that wait for their answer, on one server and from one address. A gateway asks the vault first. */
export const maxJoins = 32;
export const maxJoinsPerAddress = 8;

/** How long a join may wait for its answer. */
export const joinMs = 600_000;

/** The waiting side of a join is told so this often, and gives up after three times this. */
export const joinWaitMs = 20_000;

/** How long the joining side may take to read its answer and close; 50 KB at 9.6 kbit/s. */
export const joinReadMs = 60_000;

/** A join request: an envelope of at most 16 KiB in a carrier. */
export const maxJoinRequestBytes = 131_072;

/** A join answer: roots, members and a first snapshot. */
export const maxJoinAnswerBytes = 16_777_216;
