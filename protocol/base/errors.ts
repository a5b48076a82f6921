/** Whose fault an error is: it decides the HTTP status, the exit code and whether a stack is logged. */
export type Fault =
  /** A peer, a medium or a stored file broke the protocol. */
  | "peer"
  /** The operator's configuration or command cannot be carried out as given. */
  | "operator"
  /** The caller of an API asked for something it may not have or that is not there. */
  | "caller"
  /** Disk, network, clock or another process; the same call may work later. */
  | "environment";

export interface CodeFacts {
  readonly fault: Fault;
  /** True where the same call, unchanged, may succeed later. */
  readonly retryable: boolean;
}

/** One concern's codes. Exported as `<CONCERN>_CODES`; ERRORS.md has a heading for each key and a test compares both ways. */
export type CodeTable = Readonly<Record<string, CodeFacts>>;

export interface ErrorOptions {
  /** What the reader can do about it, one sentence. Never a secret. */
  readonly hint?: string;
  /** The inner error; logged, never shown to a peer. */
  readonly cause?: unknown;
}

/** Base of every error that is not a bug. Bugs are `assert` failures and crash. */
export class TidegateError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly fault: Fault;
  readonly retryable: boolean;
  readonly hint: string | undefined;

  constructor(table: CodeTable, code: Code, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const facts = table[code];
    if (facts === undefined) throw new Error(`error code ${code} is not in its table`);
    this.name = new.target.name;
    this.code = code;
    this.fault = facts.fault;
    this.retryable = facts.retryable;
    this.hint = options.hint;
  }
}
