import type { DeviceKind } from "./device-kind.ts";

/** Wrong logins of one device, and what it does about them. */
export class Lockout {
  /** Told of what must never happen. */
  problem: (problem: string) => void = () => {};
  #failures: { readonly atMs: number; readonly by: "us" | "person"; readonly place: string }[] = [];
  readonly #lockedUntil = new Map<string, number>();

  isLocked(kind: DeviceKind, username: string, now: number): boolean {
    return (this.#lockedUntil.get(placeOf(kind, username)) ?? 0) > now;
  }

  /** Somebody used a wrong password. */
  failed(kind: DeviceKind, username: string, { now, by }: { readonly now: number; readonly by: "us" | "person" }): void {
    const { tries, windowS, durationS } = kind;
    if (tries === null) return;
    const place = placeOf(kind, username);
    this.#failures = this.#failures.filter(({ atMs }) => atMs > now - (windowS + 2 * durationS) * 1000);
    this.#failures.push({ atMs: now, by, place });
    const recent = this.#failures.filter((each) => each.place === place && each.atMs > now - windowS * 1000);
    const limit = tries === "unknown" ? 1 : tries - 2;
    const ours = recent.filter((each) => each.by === "us").length;
    if (ours > limit) this.problem(`${ours} wrong logins within ${windowS} s, allowed are ${limit}`);
    if (recent.length < (tries === "unknown" ? 3 : tries)) return;
    this.#lockedUntil.set(place, now + durationS * 1000);
    this.problem("locked out");
  }

  /** True where a person may mistype once without being the one too many. */
  mayMistype({ windowS, durationS }: DeviceKind, now: number): boolean {
    const since = now - 2 * (windowS + durationS) * 1000;
    return !this.#failures.some(({ by, atMs }) => by === "person" && atMs > since);
  }
}

function placeOf({ scope }: DeviceKind, username: string): string {
  return scope === "device" ? "*" : username;
}
