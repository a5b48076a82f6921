/** Jobs that wait for one adapter process; an edge has one account a device at work, and devices in the hundreds. */
export const maxQueuedJobs = 256;

/** Jobs that one adapter process does before it is replaced: the SNMP library never forgets a passphrase it has seen. */
export const maxJobsPerProcess = 50;

/** An adapter process without work ends after this, for the same reason. */
export const idleProcessMs = 30_000;

/** How long a process may take to start; a cold start of a small machine stays under two seconds. */
export const processStartMs = 15_000;

/** How long a process may take to leave by itself before it is killed. */
export const processGraceMs = 2_000;

/** Exchanges of the longest SNMP operation: discovery, GET and SET, and the same once more to resolve a lost reply. */
export const snmpExchanges = 8;

/** SSH sessions of the longest operation: the account's own, then the helper's. */
export const sshSessions = 2;

/** Exchanges of one SSH session besides its prompts: connect, handshake, methods, login, its answer, command, end. */
export const sshSessionExchanges = 7;

/** What an operation may take beyond its exchanges: key derivation and connecting on a busy machine. */
export const operationSlackMs = 5_000;

/** The longest time for one exchange; more would make a job outlive a maintenance window. */
export const maxTimeoutMs = 60_000;
