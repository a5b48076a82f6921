import type { Faults } from "./faults.ts";
import type { Focus } from "./focus.ts";
import { deviceAccount, type Invariants } from "./invariants.ts";
import type { People } from "./people.ts";
import type { World } from "./world.ts";

/** Brings a world into the situation that it is to look at. */
export class Stage {
  readonly #world: World;
  readonly #people: People;
  readonly #faults: Faults;
  readonly #invariants: Invariants;

  constructor(parts: { world: World; people: People; faults: Faults; invariants: Invariants }) {
    this.#world = parts.world;
    this.#people = parts.people;
    this.#faults = parts.faults;
    this.#invariants = parts.invariants;
  }

  /** What leads there begins now, around the account of this path; some of it takes minutes. */
  begin(focus: Focus, path: string): void {
    const people = this.#people;
    this.#world.note(
      "focus",
      `${focus.failpoints.join(" and ")}, ${focus.situation}, ${focus.disk.kind} of ${focus.disk.node}`,
    );
    this.#faults.lookAt(focus);
    this.#faults.planFor(path, focus);
    switch (focus.situation) {
      case "rotation":
        return people.rotate(path);
      case "proof":
        return people.verify(path);
      case "refused value":
        this.#device(path).refusedShare = 0.7;
        return people.rotate(path);
      case "older value comes back":
        people.rotate(path);
        return this.#after(60_000, () => this.#comesBack(path));
      case "value from a person":
        return people.change(path, 60_000);
      case "value that nobody knows":
        people.change(path, 1_200_000);
        people.verify(path);
        for (const afterMs of [90_000, 150_000, 210_000, 300_000, 450_000, 600_000])
          this.#after(afterMs, () => people.retry(path));
        return;
      case "hold":
        return this.#hold(path);
    }
  }

  /** Somebody puts an older configuration into the device. */
  #comesBack(path: string): void {
    const account = deviceAccount(this.#world, path);
    const older = account?.past.findLast((value) => value !== account.live && !value.startsWith("garbage"));
    if (account === null || older === undefined || this.#invariants.untold.has(path)) return;
    this.#world.count("device: restored from a backup");
    this.#invariants.excuse(path, "the device came back with an older value");
    this.#device(path).restore(account.username, older);
    this.#people.verify(path);
  }

  /** What is staged cannot leave, and is given back when the device is held. */
  #hold(path: string): void {
    const device = this.#device(path);
    const { mood } = device;
    device.mood = { unreachable: 1 };
    this.#people.rotate(path);
    this.#after(2_000, () => this.#people.hold(path, 60_000));
    this.#after(20_000, () => {
      device.mood = mood;
    });
  }

  #device(path: string) {
    const [zone, name] = path.split("/");
    const device = this.#world.devices.get(`${zone}.${name}`);
    if (device === undefined) throw new Error(`no device of ${path}`);
    return device;
  }

  #after(ms: number, work: () => void): void {
    this.#world.time.after(ms, work);
  }
}
