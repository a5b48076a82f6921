/** What one secret field of a device may hold; plain data, read by the generator of new values. */
export interface ValueConstraints {
  /**
   * `text`: characters of `alphabet`. `digits`: the same, digits only, leading zeros count. `number`: a decimal integer
   * from `min` to `max` without leading zeros.
   */
  readonly kind: "text" | "digits" | "number";
  /** Characters, both ends included. */
  readonly minLength: number;
  readonly maxLength: number;
  /** Each character that may occur, once. */
  readonly alphabet: string;
  /** Each entry is a class of characters of which at least one must occur. */
  readonly require: readonly string[];
  /** Values that are never generated: defaults, and words that switch the password off. Compared without case. */
  readonly forbiddenWords: readonly string[];
  /** With `number` only. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** When a device locks an account: `tries` refused logins within `windowS` seconds, for `durationS` seconds. */
export interface LockoutRule {
  readonly tries: number;
  readonly windowS: number;
  readonly durationS: number;
  /** `account`: only the account locks. `device`: all of its logins do. */
  readonly scope: "account" | "device";
}

/** `none` means that the manual or a run shows that this make never locks; `unknown` is the safe default. */
export type Lockout = LockoutRule | "unknown" | "none";

/** One setting that a device of this model has, with the texts it may take. */
export interface SettingRule {
  readonly title: string;
  /** The allowed texts; null where `min` and `max` bound a decimal integer, or any text up to 255 characters is allowed. */
  readonly oneOf: readonly string[] | null;
  readonly min: number | null;
  readonly max: number | null;
  /** What holds where the operator gives none; null means that it must be given. */
  readonly default: string | null;
}

/** Where a model's sequence comes from. */
export interface ManualCitation {
  readonly title: string;
  readonly place: string;
}

interface CommonModel {
  /** `[a-z0-9][a-z0-9-]*`, the name a device refers to. */
  readonly name: string;
  readonly title: string;
  readonly manuals: readonly ManualCitation[];
  /** What nobody has run against the maker's own device; shown to the operator. */
  readonly notProven: readonly string[];
  readonly defaultPort: number;
  readonly settings: Readonly<Record<string, SettingRule>>;
  /** The secret fields of an account, by name. */
  readonly secrets: Readonly<Record<string, ValueConstraints>>;
  readonly lockout: Lockout;
  /** How many sessions the device holds at once; 0 where the protocol has none. */
  readonly maxSessions: number;
  /** How long after a change of unknown fate it may still take effect. */
  readonly settleMs: number;
  /** True where `save` must follow a push. */
  readonly needsSave: boolean;
  /** How many changes the device's memory bears in its life, or null where the maker names no number. */
  readonly writeBudget: number | null;
  /** What a change or a login does besides; shown to the operator before the first one. */
  readonly sideEffects: readonly string[];
}

/** A data file that says how a make of device is spoken to. */
export type DeviceModel = SnmpModel | ModbusModel | SshModel;

export interface SnmpModel extends CommonModel {
  readonly adapter: "snmp";
  readonly parameters: SnmpParameters;
}

export interface SnmpParameters {
  /** A SET that has the agent write its users to its own store, or null where it offers none. */
  readonly save: { readonly oid: string; readonly value: number } | null;
  /** True where a user with the right to do so may destroy another one's row and create it anew as a clone of its own, with other keys. */
  readonly userReset: boolean;
}

export interface ModbusModel extends CommonModel {
  readonly adapter: "modbus";
  readonly recipe: ModbusRecipe;
}

/** How a value lies in registers. */
export interface RegisterType {
  readonly kind: "u16" | "u32" | "float32" | "ascii";
  /** Registers; 1, 2 and 2 for the numbers, any number for `ascii`. */
  readonly registers: number;
}

/** What a step puts into registers: a secret, a value read before by name, or a number. */
export type RecipeValue = { readonly secret: "current" | "next" } | { readonly named: string } | { readonly number: number };

/** What an exception code means at a step; CONTINUE goes on as if the device had said yes. */
export type ExceptionMeaning = "REJECTED_AUTH" | "REJECTED_POLICY" | "BUSY" | "CONTINUE";

/** Exception codes of Modbus that a step expects, `"2": "REJECTED_AUTH"`; every other one is AMBIGUOUS. */
export type ExceptionMeanings = Readonly<Record<string, ExceptionMeaning>>;

export type RecipeStep =
  /** Runs the recipe's `unlock` steps with this secret: a login. */
  | { readonly do: "unlock"; readonly secret: "current" | "next" }
  | {
      readonly do: "write";
      readonly address: number;
      readonly type: RegisterType;
      readonly value: RecipeValue;
      readonly functionCode: 6 | 16;
      /** True where the device may restart instead of answering: no answer goes on as if it had said yes. */
      readonly replyMayBeLost: boolean;
      readonly exceptions: ExceptionMeanings;
    }
  | { readonly do: "coil"; readonly address: number; readonly on: boolean; readonly exceptions: ExceptionMeanings }
  | {
      readonly do: "read";
      readonly address: number;
      readonly type: RegisterType;
      /** The name under which later steps use the value. */
      readonly as: string;
      readonly exceptions: ExceptionMeanings;
    }
  | {
      readonly do: "expect";
      readonly address: number;
      readonly type: RegisterType;
      /** Bits to compare, with the integer types; null for all. */
      readonly mask: number | null;
      readonly equals: RecipeValue;
      readonly otherwise: "REJECTED_AUTH" | "REJECTED_POLICY" | "BUSY" | "AMBIGUOUS";
      /** Asks again, on a new connection where the old one broke, for this long; 0 asks once. */
      readonly withinMs: number;
      readonly exceptions: ExceptionMeanings;
    }
  | { readonly do: "wait"; readonly ms: number };

/** The sequences of a Modbus device. Addresses are those on the wire, from 0. */
export interface ModbusRecipe {
  /** The order of two registers that make one value. */
  readonly wordOrder: "big" | "little";
  /** The order of the two bytes of one register. */
  readonly byteOrder: "big" | "little";
  /** Reads whose values, joined, name the device; without a login. Empty where it has no such register. */
  readonly identify: readonly RecipeStep[];
  /** The login; it writes the secret that `unlock` names, which it calls `current`. */
  readonly unlock: readonly RecipeStep[];
  readonly push: readonly RecipeStep[];
  readonly verify: readonly RecipeStep[];
  /** Empty where `needsSave` is false. */
  readonly save: readonly RecipeStep[];
}

export interface SshModel extends CommonModel {
  readonly adapter: "ssh";
  readonly parameters: SshParameters;
}

/** How a device's accounts are changed over SSH. Texts are patterns: compared without case, `*` stands for anything in a line. */
export interface SshParameters {
  /** `admin`: the account that the setting `admin` names logs in and makes the change, and the save. */
  readonly changedBy: "self" | "admin";
  /** `legacy` adds what old gear needs: SHA-1 key exchange and signatures, CBC ciphers. */
  readonly algorithms: "modern" | "legacy";
  /** What a login must be able to do before it counts. */
  readonly verify: SshCommand;
  readonly change: SshChange;
  /** Has the device keep its change, or null where it does so by itself. */
  readonly save: SshCommand | null;
  /** Lines that say that the password is right and must be changed before anything else. */
  readonly expired: readonly string[];
}

/** A command and what its success looks like: exit status 0, or no exit status at all and a line that matches `expect`. */
export interface SshCommand {
  readonly command: string;
  readonly expect: string | null;
}

/** The command that changes the password: over a terminal with `prompts`, or without one with `stdin`. */
export interface SshChange extends SshCommand {
  readonly prompts: readonly SshPrompt[];
  /** A line for standard input in which `{username}` and `{next}` stand for themselves; null with prompts. */
  readonly stdin: string | null;
  /** Lines that the device is known to answer with; what is not foreseen is AMBIGUOUS once the new value left. */
  readonly answers: readonly { readonly text: string; readonly means: SshMeaning }[];
}

export type SshMeaning = "REJECTED_AUTH" | "REJECTED_POLICY" | "BUSY";

/** The device asks, on a line without end that matches one of `expect`. */
export interface SshPrompt {
  readonly expect: readonly string[];
  readonly send: "current" | "next";
}
