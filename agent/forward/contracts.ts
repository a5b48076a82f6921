type Awaitable<T> = T | Promise<T>;

/** Leaves that a collector never gets. */
export interface ForwardGap {
  readonly target: string;
  /** Index of the first. */
  readonly from: number;
  readonly count: number;
  readonly reason: "archived" | "unreadable";
}

/** The log that is forwarded, and where each target stands in it: the log itself is the queue. */
export interface LeafFeed {
  /** Of the log, as in its checkpoints. */
  readonly origin: string;
  /** Leaves in the log; the newest may not be durable yet. */
  size(): Awaitable<number>;
  /** Resolves once what {@link size} last said is durable: what a crash takes back must not have been told. Rejects with STORE_*. */
  settled(): Promise<void>;
  /** Leaves from `from` on, at most `limit`, each as its exact bytes; none where the first of them is not held any more. */
  leaves(from: number, limit: number): Awaitable<readonly Uint8Array[]>;
  /** Index of the next leaf for the target; null where it never got one. */
  position(target: string): Awaitable<number | null>;
  /** Keeps it. A crash may lose the newest: the target then gets some leaves again. Rejects with STORE_*. */
  savePosition(target: string, next: number): Promise<void>;
  /** Keeps it and appends the leaf that tells of the gap, both or neither. Rejects with STORE_*. */
  savePast(gap: ForwardGap): Promise<void>;
}

/** Where events go. */
export interface Collector {
  /** For status, without secrets: `tls siem.example:6514`. */
  readonly place: string;
  /** Opens a connection, or the file. Rejects with FORWARD_*; gives up at `signal`. */
  open(signal: AbortSignal): Promise<CollectorLink>;
}

/** An open way to a collector. */
export interface CollectorLink {
  /** Resolves when the machine has taken the bytes off our hands, which proves nothing yet. Rejects with FORWARD_*. */
  write(bytes: Uint8Array): Promise<void>;
  /** Says that this is all, and resolves when the collector has read it to the end. Rejects with FORWARD_* where that is not known. */
  finish(): Promise<void>;
  /** Cuts, at any moment and any number of times. */
  destroy(): void;
}

/** How forwarding to one target goes. */
export interface ForwardStatus {
  readonly name: string;
  readonly to: string;
  readonly format: string;
  /** `idle`: the collector has everything; `sending`: a connection is open or being opened; `waiting`: for the next try. */
  readonly state: "idle" | "sending" | "waiting" | "closed";
  /** Index of the next leaf that the collector is not known to have; null before the first look. */
  readonly next: number | null;
  /** Leaves that it is not known to have, as of the last look. */
  readonly behind: number;
  /** Leaves proven to have arrived since the start. */
  readonly sent: number;
  /** Leaves that it will never get, since the start. */
  readonly missed: number;
  /** Why the last try ended; null once one went well. */
  readonly lastCode: string | null;
  readonly lastHint: string | null;
}
