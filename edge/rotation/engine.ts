import type { Outcome } from "../../firmware-adapters/index.ts";
import { TidegateError } from "../../protocol/base/index.ts";
import type { DeviceEffect, RotationCode, RotationEffect, RotationEvent, StartCheck } from "../../protocol/rotation/index.ts";
import { isResting, startChecks, step } from "../../protocol/rotation/index.ts";
import { finished } from "../finished.ts";
import { type Account, nameOf, type OpenOrder } from "./account.ts";
import { AccountTurns } from "./account-turns.ts";
import { noteAnswer, noteProgress } from "./answers.ts";
import { backOff } from "./back-off.ts";
import { commitStep } from "./commit-step.ts";
import { answerOf, runExchange } from "./device-work.ts";
import { Devices } from "./devices.ts";
import type { EngineOptions } from "./engine-options.ts";
import { notePersonRead } from "./events.ts";
import { GroupRounds } from "./group-rounds.ts";
import { lacksHelper } from "./helper.ts";
import { identityFound } from "./identity.ts";
import { inputsOf } from "./inputs.ts";
import { candidateOfValue, type IssuedValue, issueValues } from "./issue-values.ts";
import { type InRoom, Lanes } from "./lanes.ts";
import { maxStepsInARow, rejectedRetryMs } from "./limits.ts";
import { forgetAccount, readAccounts } from "./load-accounts.ts";
import type { Beside } from "./next-record.ts";
import { opennessOf } from "./openness.ts";
import { endUnbegun } from "./orders.ts";
import type { StoredValue } from "./record.ts";
import { lastsUntilChanged, retryAfterMs } from "./refusals.ts";
import { nextStep, sleepMs } from "./schedule.ts";
import { SharedCommits } from "./shared-commits.ts";
import { surroundingsOf } from "./surroundings.ts";
import { planStep } from "./write-step.ts";

/** Drives the rotation machines of all accounts: commits each arrow, then runs its exchange, and takes the answer in. */
export class RotationEngine {
  readonly #options: EngineOptions;
  readonly #accounts: Map<string, Account>;
  readonly #lanes = new Lanes();
  /** Where several accounts' steps become one commit. */
  readonly commits: SharedCommits;
  /** Accounts that change together. */
  readonly groups: GroupRounds;
  readonly devices: Devices;
  readonly #turns: AccountTurns;
  #closing = false;

  /** Takes up what the last process left. */
  constructor(options: EngineOptions) {
    this.#options = options;
    this.commits = new SharedCommits(options.store, options.seams.timers);
    this.#accounts = options.accounts ?? options.store.read((view) => finished(readAccounts(view)));
    this.devices = new Devices(options.store, this.#accounts);
    this.#turns = new AccountTurns(this.commits, options.log, (account) => this.#wake(account));
    this.groups = new GroupRounds(options, this.#accounts, (account) => this.#inputs(account, null));
    for (const account of this.#accounts.values()) {
      const { state } = account.record;
      if (state.pending !== null || state.phase === "SENT") this.#dispatch(account, { kind: "restart" });
    }
  }

  /** Every account that was ever adopted here, by hexadecimal id. */
  get accounts(): ReadonlyMap<string, Account> {
    return this.#accounts;
  }

  /** Takes an account in whose row was stored just now. */
  add(account: Account): void {
    this.#accounts.set(account.key, account);
    this.devices.changed();
  }

  /** Takes an account out again that never did anything but hold the vault's value: what is to be held in memory only leaves the disk. Throws STORE_*. */
  forget(account: Account): void {
    account.cancelTimer();
    this.#options.store.transaction((tx) => forgetAccount(tx, account));
    this.#accounts.delete(account.key);
    this.devices.changed();
  }

  /** An event from outside, such as an operator's wish. Returns why it was refused, or null. */
  tell(account: Account, event: RotationEvent): RotationCode | null {
    const alone = event.kind !== "rotate" || this.groups.turn(account) === "alone";
    return alone ? this.#tell(account, event, {}) : this.#openRound(account);
  }

  /** A value that a person set on the device. */
  give(account: Account, stored: StoredValue): RotationCode | null {
    const ref = account.record.nextRef;
    return this.#tell(account, { kind: "given", candidate: candidateOfValue(ref, stored) }, { value: { ref, stored } });
  }

  /** A person read the account's value. Throws STORE_*. */
  personRead(account: Account): void {
    if (notePersonRead(account, this.#options)) this.advance(account);
  }

  /** Further values of the vault, for any number of accounts, in one transaction. Throws STORE_*. */
  issueAll(values: readonly IssuedValue[]): void {
    issueValues(values, this.#options.store, (account) => this.#inputs(account, null));
  }

  /** What would be asked before an ordered rotation of the account begins now; touches nothing. */
  checks(account: Account): StartCheck[] {
    const groupReady = this.groups.mayOpen(account);
    return startChecks(account.record.state, "order", { ...this.#inputs(account, null), groupReady });
  }

  /** The account's group changes together from now on, if all its members could begin. */
  #openRound(account: Account): RotationCode | null {
    if (this.groups.open(account) !== null) return "ROTATION_GROUP_NOT_READY";
    for (const other of this.groups.others(account)) this.#wake(other, true);
    return null;
  }

  #tell(account: Account, event: RotationEvent, beside: Beside): RotationCode | null {
    const effects = this.#dispatch(account, event, beside);
    const refused = effects.find((effect) => effect.kind === "refuse");
    if (refused === undefined) this.#follow(account, effects);
    return refused?.code ?? null;
  }

  /** Goes on with an account as far as it can, then sleeps until time may have changed something. */
  advance(account: Account): void {
    if (this.#closing) return;
    account.cancelTimer();
    for (let steps = 0; !account.busy && this.#options.store.stopped === null; steps += 1) {
      if (steps > maxStepsInARow) {
        this.#options.log.error("rotation.circled", { account: nameOf(account), state: account.record.state.phase });
        break;
      }
      if (!this.#stepOnce(account)) break;
    }
    this.#sleep(account);
  }

  /** {@link advance} for every account: for as many as can be under way at once now, for the others soon. Throws STORE_*. */
  advanceAll(): void {
    this.advanceEach(this.#turns.first(this.#accounts.values()));
  }

  /** {@link advance} for some, in one commit. Throws STORE_*. */
  advanceEach(accounts: Iterable<Account>): void {
    this.commits.now(() => {
      for (const account of accounts) this.#wake(account);
    });
  }

  /** A start that waited for a person is looked at again at once. */
  reconsider(): void {
    for (const account of this.#accounts.values()) account.startAtMs = 0;
    this.advanceAll();
  }

  /** Waits for the exchanges under way; starts nothing more. Close the adapters first, so that they end soon. Idempotent. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#turns.close();
    for (const account of this.#accounts.values()) account.cancelTimer();
    this.commits.close();
    await this.#lanes.idle();
  }

  /** False where nothing is to be done now. */
  #stepOnce(account: Account): boolean {
    const { seams, books } = this.#options;
    const helpless = lacksHelper(account, this.devices.sharing(account));
    const turn = this.groups.turn(account);
    const next = nextStep(account, { time: books.time(), clock: seams.clock, helpless, turn });
    if (next === null) return false;
    if ("opens" in next) {
      const code = this.#openRound(account);
      return code === null || this.#refused(account, code, next.opens);
    }
    if ("refused" in next) return this.#refused(account, next.refused, next.order);
    if ("expired" in next) {
      endUnbegun(account, next.expired, { outcome: "expired", code: "CLOCK_EXPIRED" }, this.#options);
      return true;
    }
    const before = account.record.state;
    const effects = this.#dispatch(account, next.event, { order: next.order });
    const refused = effects.find((effect) => effect.kind === "refuse");
    if (refused !== undefined) return this.#refused(account, refused.code, next.order);
    if (next.event.kind === "refill") {
      // Where the whole device locks, its other accounts may have waited for these attempts.
      for (const other of this.devices.neighbours(account))
        if (other.waiting === "ROTATION_BUDGET_SPENT") this.#wake(other, true);
      return true;
    }
    return this.#follow(account, effects) || account.record.state !== before;
  }

  /** A start was refused: for now, or for good. Where only the device's identity is missing, a proof is made first. */
  #refused(account: Account, code: RotationCode, order: OpenOrder | null): boolean {
    account.waiting = code;
    if (code === "ROTATION_IDENTITY" && !account.identityChanged) {
      const effects = this.#dispatch(account, { kind: "verify" });
      if (this.#follow(account, effects)) return true;
    }
    const { clock } = this.#options.seams;
    const openness = opennessOf(account, this.#options.interval(), this.groups.orderFor(account, order));
    account.startAtMs = clock.sinceBootMs() + retryAfterMs(account, code, openness, clock);
    if (order === null || lastsUntilChanged.has(code)) return false;
    endUnbegun(account, order, { outcome: "refused", code }, this.#options);
    return false;
  }

  /** Runs the exchange that a transition allowed, or notes what it waits for. True where an exchange began. */
  #follow(account: Account, effects: readonly RotationEffect[]): boolean {
    account.waiting = effects.find((effect) => effect.kind === "wait")?.code ?? null;
    const exchange = effects.find((effect) => effect.kind === "device");
    if (exchange === undefined) return false;
    account.busy = true;
    this.#lanes.add(account.device?.key ?? account.key, (inRoom) => this.#exchange(account, exchange, inRoom));
    return true;
  }

  async #exchange(account: Account, exchange: DeviceEffect, inRoom: InRoom): Promise<void> {
    try {
      const parts = { account, effect: exchange, devices: this.devices };
      const outcome = await inRoom(() => runExchange(parts, this.#options));
      if (outcome === null) return;
      const { kind, code } = outcome;
      this.#options.log.info("device.answered", { account: nameOf(account), name: exchange.action, outcome: kind, code });
      // A request that was made is not sent any more: the next process makes it again.
      if (this.#closing && exchange.action === "prepare") return;
      await this.commits.add(() => this.#answered(account, exchange, outcome));
    } catch (error) {
      account.busy = false;
      this.#failed(account, error);
    }
  }

  #answered(account: Account, exchange: DeviceEffect, outcome: Outcome): void {
    const { seams, books } = this.#options;
    const before = account.record.state;
    const found = identityFound(account, outcome, this.devices);
    noteAnswer(account, exchange, outcome, seams);
    const effects = this.#dispatch(account, answerOf(exchange, outcome), {
      request: outcome.kind === "OK" ? outcome.state : null,
      ...(found === null ? {} : { write: (tx) => found.write(tx, books) }),
    });
    noteProgress(account, before, outcome, seams);
    if (effects.some((effect) => effect.kind === "alarm" && effect.code === "ROTATION_POOL_REJECTED"))
      account.intervalAtMs = seams.clock.sinceBootMs() + rejectedRetryMs;
    this.#follow(account, effects);
    this.advance(account);
    for (const other of [...this.devices.neighbours(account), ...this.groups.others(account)]) this.#wake(other);
    if (!account.owed || !isResting(account.record.state)) return;
    account.owed = false;
    this.#options.onRoom();
  }

  /** One step of the machine: its transaction is durable when this returns. Throws STORE_*. */
  #dispatch(account: Account, event: RotationEvent, beside: Beside = {}): readonly RotationEffect[] {
    const to = step(account.record.state, event, this.#inputs(account, beside.order ?? null));
    const planned = planStep(account, { to, event, beside, counts: this.groups.orderFor(account, null) }, this.#options);
    if (planned !== null) commitStep(planned, { options: this.#options, groups: this.groups, commits: this.commits });
    return to.effects;
  }

  #inputs(account: Account, order: OpenOrder | null) {
    const around = { options: this.#options, devices: this.devices, groupReady: this.groups.ready(account) };
    return inputsOf(account, surroundingsOf(account, this.groups.orderFor(account, order), around));
  }

  #sleep(account: Account): void {
    if (account.busy || this.#closing || this.#options.store.stopped !== null) return;
    const { seams, books } = this.#options;
    const wait = sleepMs(account, books.time(), seams.clock, this.groups.turn(account));
    if (wait !== null) account.cancelTimer = seams.timers.after(wait, () => this.#wake(account));
  }

  /** Goes on with an account; `atOnce` also where its last start was refused for now. */
  #wake(account: Account, atOnce = false): void {
    if (atOnce) account.startAtMs = 0;
    try {
      // An exchange whose answer could not be taken in: as after a restart, nobody knows what became of it.
      if (!account.busy && account.record.state.pending !== null) this.#dispatch(account, { kind: "restart" });
      this.advance(account);
    } catch (error) {
      this.#failed(account, error);
    }
  }

  /**
   * Where the writer stopped, nothing more is sent until a restart, reads go on. What could only not be read is tried again, ever less
   * often. Anything else is a bug of ours.
   */
  #failed(account: Account, error: unknown): void {
    if (!(error instanceof TidegateError)) throw error;
    const { log, store, seams } = this.#options;
    log.error("rotation.stopped", { account: nameOf(account), error });
    if (this.#closing || store.stopped !== null) return;
    backOff(account, seams, true);
    account.cancelTimer();
    const delayMs = account.retryAtMs - seams.clock.sinceBootMs();
    account.cancelTimer = seams.timers.after(delayMs, () => this.#wake(account));
  }
}
