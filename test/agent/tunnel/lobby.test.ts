import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import t from "tap";
import { Lobby, type LobbyLimits } from "../../../agent/tunnel/lobby.ts";

/** A connection as a lobby sees it. */
class Arrival extends EventEmitter {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number;
  destroyed = false;

  constructor(address: string | undefined, port: number) {
    super();
    this.remoteAddress = address;
    this.remotePort = port;
  }

  get name(): string {
    return `${this.remoteAddress} ${this.remotePort}`;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit("close");
  }
}

class Door {
  readonly begun: Arrival[] = [];
  readonly lobby: Lobby;
  readonly arrivals: Arrival[] = [];

  constructor(limits: Partial<LobbyLimits>) {
    const all = { total: 1, perAddress: 1, waiting: 100, timeMs: 60_000, waitMs: 60_000, ...limits };
    // The lobby touches of a socket only what an Arrival has.
    this.lobby = new Lobby((socket) => void this.begun.push(socket as unknown as Arrival), all);
  }

  enter(address: string | undefined, port: number): Arrival {
    const arrival = new Arrival(address, port);
    this.arrivals.push(arrival);
    this.lobby.enter(arrival as unknown as Socket);
    return arrival;
  }

  /** Lets each one that shakes hands be known, until nobody waits; gives the order. */
  serve(): string[] {
    for (let i = 0; i < this.begun.length; i += 1) this.lobby.admit(this.begun[i] as unknown as Socket);
    return this.begun.map(({ name }) => name);
  }

  close(): void {
    this.lobby.cutAll();
  }
}

t.test("lines take turns, each in its order: who comes with many delays nobody else", async (t) => {
  const door = new Door({});
  for (const port of [1, 2, 3, 4]) door.enter("a", port);
  door.enter("b", 1);
  door.enter("c", 1);
  door.enter("b", 2);
  t.same(door.serve(), ["a 1", "a 2", "b 1", "c 1", "a 3", "b 2", "a 4"]);
  door.close();
});

t.test("so many shake hands at a time, in all and from one address, and one more waits", async (t) => {
  const door = new Door({ total: 3, perAddress: 2 });
  for (const [address, port, begun] of [
    ["a", 1, 1],
    ["a", 2, 2],
    ["a", 3, 2],
    ["b", 1, 3],
    ["c", 1, 3],
  ] as const) {
    door.enter(address, port);
    t.equal(door.begun.length, begun, `${address} ${port}`);
  }
  door.begun[0]?.destroy();
  t.same(door.begun.at(-1)?.name, "a 3", "an end frees a place as being known does");
  door.close();
});

t.test("so many wait and no more: the longest line loses its newest, and who came early stays", async (t) => {
  const door = new Door({ waiting: 3 });
  const gone = () => door.arrivals.filter(({ destroyed }) => destroyed).map(({ name }) => name);
  for (const port of [1, 2, 3]) door.enter("a", port);
  t.same(gone(), [], "one shakes hands, two wait");
  door.enter("a", 4);
  t.same(gone(), [], "three wait");
  door.enter("a", 5);
  t.same(gone(), ["a 5"]);
  door.enter("b", 1);
  t.same(gone(), ["a 4", "a 5"], "a newcomer from elsewhere has a place");
  t.same(door.serve(), ["a 1", "a 2", "b 1", "a 3"]);
  door.close();
});

t.test("who goes away while waiting is forgotten; a connection without an address is none", async (t) => {
  const door = new Door({});
  door.enter("a", 1);
  door.enter("a", 2).destroy();
  t.equal(door.enter(undefined, 1).destroyed, true);
  door.enter("a", 3);
  t.same(door.serve(), ["a 1", "a 3"]);
  door.close();
  t.ok(door.arrivals.every(({ destroyed }) => destroyed));
});
