import { hash } from "node:crypto";
import type { Clock, Timers } from "../../../agent/seams/index.ts";
import type { TunnelEvent, TunnelNode } from "../../../agent/tunnel/index.ts";
import { type Random, utf8 } from "../../../protocol/base/index.ts";
import type { CourierItem } from "../../../protocol/courier/index.ts";
import { encodeCarrier, encodeEnvelope, envelopeId } from "../../../protocol/envelope/index.ts";
import { applyStatements, type TrustState } from "../../../protocol/trust/index.ts";
import { tunnelTrust } from "../../../protocol/tunnel/index.ts";
import { MemoryMailroom } from "../../support/memory-mailroom.ts";
import type { TunnelMember } from "../../support/tunnel-members.ts";

/** Random bytes that are the same in each run. */
export function seededRandom(seed: string): Random {
  let count = 0;
  return (length) => {
    count += 1;
    return new Uint8Array(hash("sha512", `${seed} ${count}`, "buffer").subarray(0, length));
  };
}

/** A node as its tunnels see it, with everything in memory. */
export class RigNode implements TunnelNode {
  readonly nodeId: Uint8Array;
  readonly signing: TunnelNode["signing"];
  readonly mailroom = new MemoryMailroom();
  readonly seams: TunnelNode["seams"];
  readonly events: TunnelEvent[] = [];
  readonly #member: Uint8Array;
  state: TrustState;
  counter = 0;
  learned = 0;

  constructor(options: { member: TunnelMember; state: TrustState; clock: Clock & Timers; seed: string }) {
    const { member, clock, seed } = options;
    this.nodeId = member.nodeId;
    this.signing = member.signing;
    this.#member = member.member;
    this.state = options.state;
    this.seams = { clock, timers: clock, random: seededRandom(seed) };
  }

  member(): Uint8Array {
    return this.#member;
  }

  trust() {
    return tunnelTrust(this.state);
  }

  learn(statements: readonly Uint8Array[]): void {
    this.learned += 1;
    this.state = applyStatements(this.state, statements).state;
  }

  readonly nextCounter = (): number => {
    this.counter += 1;
    return this.counter;
  };

  readonly report = (event: TunnelEvent): void => {
    this.events.push(event);
  };

  /** Codes of the sessions that closed here. */
  get closedCodes(): string[] {
    return this.events.flatMap((event) => (event.name === "tunnel.closed" ? [event.code] : []));
  }

  count(name: TunnelEvent["name"]): number {
    return this.events.filter((event) => event.name === name).length;
  }
}

/** An item for a mailbox of 20 times `mailbox`; `name` makes its id. */
export function item(mailbox: number, name: string, bytes = 100): CourierItem {
  const payload = utf8(name);
  const envelope = encodeEnvelope("report", payload, [{ keyId: new Uint8Array(20), signature: new Uint8Array(64) }]);
  const carrier = encodeCarrier({ statements: [], envelope, body: new Uint8Array(bytes) });
  return { mailbox: new Uint8Array(20).fill(mailbox), id: envelopeId("report", payload), carrier };
}
