/** A make of device. */
export interface DeviceKind {
  readonly model: string;
  /** Wrong logins until it locks; null never locks, "unknown" locks at three although nobody knows. */
  readonly tries: number | null | "unknown";
  readonly scope: "account" | "device";
  readonly windowS: number;
  readonly durationS: number;
  /** A late change lands within this time after the exchange. */
  readonly settleMs: number;
  /** A change that is made over another value than the one that it was computed from leaves a value that nobody knows. */
  readonly delta: boolean;
}

/** What the way to a device, or the device, does to one exchange. */
export const tricks = ["unreachable", "lost", "reply lost", "slow", "late", "queued", "twice", "denied", "save lost"] as const;
export type Trick = (typeof tricks)[number];

/** How often each trick is played, as a share of the exchanges. */
export type Mood = Readonly<Partial<Record<Trick, number>>>;

/** The fields of a credential as one text. */
export function valueText(fields: Readonly<Record<string, Uint8Array>>): string {
  return Object.keys(fields)
    .sort()
    .map((name) => `${name}=${Buffer.from(fields[name] ?? []).toString()}`)
    .join("\n");
}
