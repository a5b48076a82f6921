import { everyRow, type NodeTime } from "../../agent/node/index.ts";
import type { Clock } from "../../agent/seams/index.ts";
import type { Transaction } from "../../agent/store/index.ts";
import { asBytes, asList, asTuple, decodeTcbor, encodeTcbor, toHex } from "../../protocol/base/index.ts";
import {
  maxGroupMembers,
  type RotationCode,
  type RotationEffect,
  type RotationInputs,
  startChecks,
} from "../../protocol/rotation/index.ts";
import { type Account, nameOf, type OpenOrder } from "./account.ts";
import type { EngineOptions } from "./engine-options.ts";
import { lacksHelper } from "./helper.ts";
import { urgentOrder } from "./judge-order.ts";
import { groupOpenMs, groupProofMs } from "./limits.ts";
import { tables } from "./record.ts";

/** What an account of a group does next: alone it is its own master, a round that is open says the rest. */
export type GroupTurn = "alone" | "closed" | "wait" | "prove" | "rotate";

/** A member that keeps the others waiting, and why. */
export interface GroupBlocker {
  readonly path: string;
  readonly code: RotationCode;
}

/** All members of a group on their way to new values. Durable from the first push on: what has begun is brought to its end. */
interface Round {
  readonly groupId: Uint8Array;
  /** Accounts that have not changed yet, in their order. */
  left: readonly string[];
  /** Something was sent: no member is waited for any more, and nothing is taken back. */
  sent: boolean;
  /** Who was proven since it was opened, and when, since-boot milliseconds. */
  readonly proven: Map<string, number>;
  readonly openedAtMs: number;
}

/** A proof is what a round makes first. */
const provenByRound: ReadonlySet<RotationCode> = new Set(["ROTATION_IDENTITY"]);
const nothingIgnored: ReadonlySet<RotationCode> = new Set();

/** Groups of accounts that change together: one after the other, and none before all are ready. Throws STORE_*. */
export class GroupRounds {
  readonly #clock: Clock;
  readonly #time: () => NodeTime;
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #inputs: (account: Account) => RotationInputs;
  readonly #rounds = new Map<string, Round>();

  constructor(
    { store, seams, books }: Pick<EngineOptions, "store" | "seams" | "books">,
    accounts: ReadonlyMap<string, Account>,
    inputs: (account: Account) => RotationInputs,
  ) {
    this.#clock = seams.clock;
    this.#time = () => books.time();
    this.#accounts = accounts;
    this.#inputs = inputs;
    const openedAtMs = seams.clock.sinceBootMs();
    for (const { id, value } of store.read((view) => [...everyRow(view, tables.group)])) {
      this.#rounds.set(toHex(id), { groupId: id, left: decodeLeft(value), sent: true, proven: new Map(), openedAtMs });
    }
  }

  /** The members of the account's group with itself, by path; empty where it changes alone. */
  #members(account: Account): Account[] {
    const key = keyOf(account);
    if (key === null) return [];
    const all = [...this.#accounts.values()].filter((other) => keyOf(other) === key);
    return all.length < 2 ? [] : all.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  }

  /** The other members of the account's group. */
  others(account: Account): Account[] {
    return this.#members(account).filter((each) => each !== account);
  }

  /** True where every other member could begin, or there is none; for a look beforehand. */
  mayOpen(account: Account): boolean {
    return this.#blocker(this.others(account), provenByRound) === null;
  }

  /** Opens a round for the account's group; it comes last, so that its order ends with the group. Returns who is not ready, or null. */
  open(account: Account): GroupBlocker | null {
    const members = this.#members(account);
    const key = keyOf(account);
    if (key === null || members.length === 0 || this.#roundOf(account) !== null) return null;
    const blocker = this.#blocker(members, provenByRound);
    if (blocker !== null) return blocker;
    const left = [...members.filter((each) => each !== account), account].map((each) => each.key);
    const groupId = account.content?.group ?? new Uint8Array(0);
    this.#rounds.set(key, {
      groupId,
      left,
      sent: false,
      proven: new Map(),
      openedAtMs: this.#clock.sinceBootMs(),
    });
    return null;
  }

  /** The order whose word about windows counts for the account: who is in a hurry takes the whole group along. */
  orderFor(account: Account, order: OpenOrder | null): OpenOrder | null {
    return order?.now === true ? order : (urgentOrder(this.#members(account), this.#time()) ?? order);
  }

  /** What the account may do. */
  turn(account: Account): GroupTurn {
    const members = this.#members(account);
    if (members.length === 0) return "alone";
    const round = this.#roundOf(account);
    if (round === null) return "closed";
    if (!round.left.includes(account.key)) return "wait";
    if (!round.sent && !this.#isProven(round, account)) return "prove";
    return this.#mayRotate(round, account, members) ? "rotate" : "wait";
  }

  /** For the machine, which asks again right before the push. */
  ready(account: Account): boolean {
    const members = this.#members(account);
    if (members.length === 0) return true;
    const round = this.#roundOf(account);
    return round !== null && this.#mayRotate(round, account, members);
  }

  /** Who keeps the account waiting, for people; null where nobody does. */
  blocker(account: Account): GroupBlocker | null {
    const members = this.others(account);
    const round = this.#roundOf(account);
    if (round === null) return members.length === 0 ? null : this.#blocker(members, nothingIgnored);
    const next = members.find((each) => each.key === round.left[0]);
    if (round.sent) return next === undefined ? null : { path: nameOf(next), code: next.waiting ?? "ROTATION_BUSY" };
    const unproven = members.find((each) => !this.#isProven(round, each));
    if (unproven !== undefined) return { path: nameOf(unproven), code: unproven.waiting ?? "ROTATION_IDENTITY" };
    return this.#blocker(members, nothingIgnored);
  }

  /** True while some members have changed and others have not: then both values of each may be in use. */
  overlaps(account: Account): boolean {
    return this.#roundOf(account)?.sent === true;
  }

  /** True where the account has changed and others of its group have not: its value of before may be in use still. */
  isAhead(account: Account): boolean {
    const round = this.#roundOf(account);
    return round?.sent === true && !round.left.includes(account.key);
  }

  /** Part of an arrow's transaction: the round goes with its member. Returns what takes effect after the commit. */
  record(tx: Transaction, account: Account, effects: readonly RotationEffect[]): () => void {
    const round = this.#roundOf(account);
    if (round === null) return () => {};
    const now = this.#clock.sinceBootMs();
    const has = (report: string) => effects.some((effect) => effect.kind === "report" && effect.report === report);
    const sent = round.sent || effects.some((effect) => effect.kind === "leaf" && effect.action === "rotation.sent");
    const left = has("verified") ? round.left.filter((key) => key !== account.key) : round.left;
    if (sent && (sent !== round.sent || left !== round.left)) {
      if (left.length === 0) tx.delete(tables.group, round.groupId);
      else tx.put(tables.group, round.groupId, encodeLeft(left));
    }
    return () => {
      round.sent = sent;
      round.left = left;
      if (has("verified") || has("proven")) round.proven.set(account.key, now);
      if (left.length === 0) this.#rounds.delete(toHex(round.groupId));
    };
  }

  #roundOf(account: Account): Round | null {
    const key = keyOf(account);
    const round = key === null ? undefined : this.#rounds.get(key);
    if (key === null || round === undefined) return null;
    const stale = !round.sent && this.#clock.sinceBootMs() - round.openedAtMs > groupOpenMs;
    // Nothing was sent: whoever wanted it asks again.
    if (stale) this.#rounds.delete(key);
    return stale ? null : round;
  }

  #isProven(round: Round, account: Account): boolean {
    const at = round.proven.get(account.key);
    return at !== undefined && this.#clock.sinceBootMs() - at <= groupProofMs;
  }

  #mayRotate(round: Round, account: Account, members: readonly Account[]): boolean {
    const open = members.filter((each) => round.left.includes(each.key));
    const [first] = round.left.flatMap((key) => open.filter((each) => each.key === key));
    if (first !== account) return false;
    if (round.sent) return true;
    const others = this.others(account);
    return others.every((each) => this.#isProven(round, each)) && this.#blocker(others, nothingIgnored) === null;
  }

  /** Why this member could not begin now if it had its turn, or null. That another member has its device is no reason. */
  #blockOf(member: Account): RotationCode | null {
    if (lacksHelper(member, this.#accounts.values())) return "ROTATION_HELPER";
    const inputs = { ...this.#inputs(member), groupReady: true, deviceFree: true };
    return startChecks(member.record.state, "order", inputs).find(({ blocks }) => blocks)?.code ?? null;
  }

  #blocker(members: readonly Account[], ignored: ReadonlySet<RotationCode>): GroupBlocker | null {
    for (const member of members) {
      const code = this.#blockOf(member);
      if (code !== null && !ignored.has(code)) return { path: nameOf(member), code };
    }
    return null;
  }
}

function keyOf({ content }: Account): string | null {
  return content === null || content.group === null ? null : toHex(content.group);
}

function encodeLeft(left: readonly string[]): Uint8Array {
  return encodeTcbor([left.map((key) => new Uint8Array(Buffer.from(key, "hex")))]);
}

function decodeLeft(row: Uint8Array): string[] {
  const [left] = asTuple(decodeTcbor(row), "group", 1);
  return asList(left, "group.left", maxGroupMembers).map((id) => toHex(asBytes(id, "group.left", 16)));
}
