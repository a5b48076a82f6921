import {
  ambiguous,
  type DeviceJob,
  notSent,
  type Operation,
  type Outcome,
  ok,
  rejectedAuth,
  rejectedPolicy,
} from "../../firmware-adapters/index.ts";
import { type DeviceKind, type Mood, type Trick, tricks, valueText } from "./device-kind.ts";
import type { Dice } from "./dice.ts";
import { Lockout } from "./lockout.ts";
import type { Process } from "./process.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** One login of a device. */
export interface DeviceAccount {
  readonly username: string;
  live: string;
  saved: string;
  /** What it was delivered with. */
  readonly first: string;
  /** Everything that was live once. */
  readonly past: string[];
}

export interface DeviceOptions {
  readonly name: string;
  readonly kind: DeviceKind;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly accounts: readonly { readonly username: string; readonly password: string }[];
}

/** How long an adapter waits for an answer. */
const timeoutMs = 10_000;

/** A device of the plant, as its network interface shows it: it keeps running whatever becomes of everybody else. */
export class SimulatedDevice {
  readonly name: string;
  kind: DeviceKind;
  readonly accounts: ReadonlyMap<string, DeviceAccount>;
  readonly #time: VirtualTime;
  readonly #dice: Dice;
  mood: Mood = {};
  /** Tricks of the device's own, which stay. */
  nature: Mood = {};
  /** How long one way to it takes at most, milliseconds. */
  paceMs = 200;
  /** Values that its password policy refuses, as a share of all. */
  refusedShare = 0;
  /** Changes of what it holds; for those who look. */
  changes = 0;
  /** It loses power soon after the next change, mostly before that is saved. */
  rebootsAfterChange = false;
  /** Told of each reboot, and whether something was lost with it. */
  onReboot: (lost: boolean) => void = () => {};
  onTrick: (trick: Trick | "refused value") => void = () => {};
  onExchange: (account: string, op: Operation, outcome: string) => void = () => {};
  /** Told before a change leaves for it. */
  onPush: (username: string) => void = () => {};
  problem: (problem: string) => void = () => {};
  /** What an adapter answers in place of the truth; a planted bug. */
  tamper: (op: Operation, outcome: Outcome) => Outcome = (_op, outcome) => outcome;
  /** Exchanges that it only pretends to carry out; a planted bug. */
  pretends: (op: Operation) => boolean = () => false;
  /** Exchanges that a process has open now. */
  readonly #sessions = new Map<Process, number>();
  readonly #lockout = new Lockout();
  #requests = 0;
  /** Counts the configurations that were put in from outside. */
  #lives = 0;
  /** Requests that may have reached it, by what they change. */
  readonly #sent = new Map<string, string>();

  constructor(options: DeviceOptions) {
    this.name = options.name;
    this.kind = options.kind;
    this.#time = options.time;
    this.#dice = options.dice;
    const made = options.accounts.map(({ username, password }): [string, DeviceAccount] => [
      username,
      { username, live: password, saved: password, first: password, past: [password] },
    ]);
    this.accounts = new Map(made);
    this.#lockout.problem = (problem) => this.problem(`${this.name}: ${problem}`);
  }

  /** What an adapter does for the engine; the part of the network in between belongs to it. */
  async run(user: Process, op: Operation, job: DeviceJob): Promise<Outcome> {
    const open = (this.#sessions.get(user) ?? 0) + 1;
    this.#sessions.set(user, open);
    if (op === "push") this.onPush(job.username);
    if (open > 1) this.problem(`${this.name}: ${open} exchanges at once`);
    try {
      const outcome = this.tamper(op, await this.#exchange(user, op, job));
      if (user.alive) this.onExchange(job.username, op, `${outcome.kind} ${outcome.code}`);
      return outcome;
    } finally {
      this.#sessions.set(user, (this.#sessions.get(user) ?? 1) - 1);
    }
  }

  /** Somebody stands before it and types something wrong. */
  typo(username: string): void {
    this.#lockout.failed(this.kind, username, { now: this.#time.now, by: "person" });
  }

  /** True where a person may mistype once without being the one too many. */
  mayMistype(): boolean {
    return this.#lockout.mayMistype(this.kind, this.#time.now);
  }

  /** A power cut: what was not saved is gone. */
  reboot(): void {
    let lost = false;
    for (const account of this.accounts.values()) {
      if (account.live === account.saved) continue;
      lost = true;
      this.#set(account, account.saved);
    }
    this.onReboot(lost);
  }

  /** It comes back with an older configuration, or with the one that it was delivered with. */
  restore(username: string, value: string): void {
    const account = this.#account(username);
    this.#set(account, value);
    account.saved = value;
    // Whatever was still to be carried out is gone with the configuration.
    this.#lives += 1;
  }

  /** Whether its policy refuses this value. */
  refuses(value: string): boolean {
    let sum = 0;
    for (let i = 0; i < value.length; i += 1) sum = (sum * 31 + value.charCodeAt(i)) % 1_000;
    return sum / 1_000 < this.refusedShare;
  }

  async #exchange(user: Process, op: Operation, job: DeviceJob): Promise<Outcome> {
    const trick = this.#draw(op);
    if (trick === "unreachable") {
      await this.#wait(this.#dice.between(5, 3_000));
      return notSent("DEVICE_UNREACHABLE", "");
    }
    if (trick === "lost") {
      await this.#wait(timeoutMs);
      return ambiguous("DEVICE_NO_ANSWER", "");
    }
    await this.#arrive(user, trick === "slow" ? this.#dice.between(2_000, 8_000) : this.#dice.between(1, this.paceMs));
    const outcome = this.#answer(user, op, job, trick);
    if (trick === "reply lost" || trick === "late" || trick === "twice" || (trick === "save lost" && op === "save")) {
      await this.#wait(timeoutMs);
      return ambiguous("DEVICE_REPLY_LOST", "", { spent: outcome.kind !== "OK" });
    }
    await this.#wait(this.#dice.between(1, this.paceMs));
    return outcome;
  }

  /** The adapter's process ends with its parent: what is under way then arrives soon or never. */
  #arrive(user: Process, delayMs: number): Promise<void> {
    const at = this.#time.now + delayMs;
    let latest = Number.POSITIVE_INFINITY;
    user.onDeath(() => {
      latest = this.#time.now + this.kind.settleMs;
    });
    return new Promise((resolve) => this.#time.after(delayMs, () => void (at <= latest && resolve())));
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#time.after(ms, resolve));
  }

  #draw(op: Operation): Trick | null {
    let left = this.#dice.share();
    for (const trick of tricks) {
      if (!this.#fits(trick, op)) continue;
      left -= this.nature[trick] ?? this.mood[trick] ?? 0;
      if (left >= 0) continue;
      this.onTrick(trick);
      return trick;
    }
    return null;
  }

  #fits(trick: Trick, op: Operation): boolean {
    if (trick === "save lost") return op === "save";
    if (trick === "queued" || trick === "twice") return op === "push" && !this.kind.delta;
    return trick === "late" || trick === "denied" ? op === "push" : true;
  }

  #answer(user: Process, op: Operation, job: DeviceJob, trick: Trick | null): Outcome {
    const account = this.#account(job.username);
    if (job.identity !== null && job.identity !== this.#identity) return notSent("DEVICE_IDENTITY_CHANGED", "");
    const login = valueText(job.secrets.current);
    const { now } = this.#time;
    if (this.#lockout.isLocked(this.kind, job.username, now) || login !== account.live) {
      this.#lockout.failed(this.kind, job.username, { now, by: "us" });
      return rejectedAuth("DEVICE_SECRET_REFUSED", "");
    }
    const next = job.secrets.next === null ? "" : valueText(job.secrets.next);
    if (op === "prepare") {
      this.#requests += 1;
      return ok({ state: new TextEncoder().encode(`request ${this.#requests}`), identity: this.#identity });
    }
    if (this.pretends(op)) return ok({ identity: this.#identity });
    if (op === "save") account.saved = account.live;
    if (op !== "push") return ok({ identity: this.#identity });
    return this.#change(account, job, { user, base: login, next, trick });
  }

  #change(
    account: DeviceAccount,
    job: DeviceJob & { readonly state?: Uint8Array },
    { user, base, next, trick }: { user: Process; base: string; next: string; trick: Trick | null },
  ): Outcome {
    if (this.refuses(next)) {
      this.onTrick("refused value");
      return rejectedPolicy("DEVICE_VALUE_REFUSED", "");
    }
    const request = new TextDecoder().decode(job.state);
    const change = `${job.username} ${base} ${next}`;
    if ((this.#sent.get(change) ?? request) !== request) this.problem(`${this.name}: a request that was sent is made anew`);
    this.#sent.set(change, request);
    if (trick === "late" || trick === "queued" || trick === "twice") {
      // After an answer that says nothing the exchange is over only when the adapter gives up.
      const overMs = trick === "queued" ? 0 : timeoutMs;
      const life = this.#lives;
      this.#landLate(user, overMs, () => void (life === this.#lives && this.#land(account, base, next)));
    }
    if (trick === "late" || trick === "queued") return ok({ identity: this.#identity });
    this.#set(account, next);
    return trick === "denied" ? rejectedPolicy("DEVICE_VALUE_REFUSED", "") : ok({ identity: this.#identity });
  }

  /** At some time until the exchange is over and everything has settled; the death of its process ends an exchange too. */
  #landLate(user: Process, overMs: number, land: () => void): void {
    const latest = () => this.#dice.between(1, this.kind.settleMs - 1_000);
    const late = { landed: false };
    const once = () => {
      if (!late.landed) land();
      late.landed = true;
    };
    const cancel = this.#time.after(this.#dice.between(1, overMs + this.kind.settleMs - 1_000), once);
    user.onDeath(() => {
      if (late.landed) return;
      cancel();
      this.#time.after(latest(), once);
    });
  }

  #land(account: DeviceAccount, base: string, next: string): void {
    const broken = this.kind.delta && account.live !== base;
    this.#set(account, broken ? `garbage of ${next}` : next);
  }

  #set(account: DeviceAccount, value: string): void {
    if (account.live === value) return;
    account.live = value;
    account.past.push(value);
    this.changes += 1;
    if (!this.rebootsAfterChange || account.saved === value) return;
    this.rebootsAfterChange = false;
    this.#time.after(this.#dice.between(1, 4 * this.paceMs), () => this.reboot());
  }

  get #identity(): string {
    return `sim:${this.name}`;
  }

  #account(username: string): DeviceAccount {
    const account = this.accounts.get(username);
    if (account === undefined) throw new Error(`${this.name} has no login ${username}`);
    return account;
  }
}
