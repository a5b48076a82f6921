type Facts = Readonly<Record<string, unknown>>;

const mebibyte = 1024 * 1024;
const dayS = 86_400;

/** How facts are shown: how far to the right, and the time since the machine's start, of which some count. */
export interface Shown {
  readonly indent: string;
  readonly nowMs: number;
}

/** What a node of this machine says of itself, for people: one line a fact, objects and lists of objects indented below their name. `--json` has the raw values. */
export function factLines(facts: Facts, shown: Shown): string[] {
  const { indent, nowMs } = shown;
  return Object.entries(facts).flatMap(([name, value]) => {
    if (name === "time" && isInterval(value)) return [`${indent}time: ${intervalText(value)}`];
    if (value === null || typeof value !== "object") return [`${indent}${plain(name, value, { between: ": ", nowMs })}`];
    if (!Array.isArray(value)) return [`${indent}${name}:`, ...factLines(value as Facts, { ...shown, indent: `${indent}  ` })];
    if (value.length === 0) return [`${indent}${name}: none`];
    if (value.every((each) => typeof each !== "object")) return [`${indent}${name}: ${value.join(", ")}`];
    return [
      `${indent}${name}:`,
      ...value.map((each) => `${indent}  - ${isCheck(each) ? checkText(each) : inline(each as Facts, nowMs)}`),
    ];
  });
}

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

function isCheck(value: unknown): value is Check {
  const { name, ok, detail } = value as Partial<Check>;
  return typeof name === "string" && typeof ok === "boolean" && typeof detail === "string";
}

function checkText({ name, ok, detail }: Check): string {
  return `${name}: ${ok ? "ok" : "RED"}, ${detail}`;
}

function inline(facts: Facts, nowMs: number): string {
  return Object.entries(facts)
    .map(([name, value]) =>
      value !== null && typeof value === "object"
        ? `${name} ${JSON.stringify(value)}`
        : plain(name, value, { between: " ", nowMs }),
    )
    .join(", ");
}

/** A fact by the unit that its name ends with. */
function plain(name: string, value: unknown, { between, nowMs }: { between: string; nowMs: number }): string {
  if (typeof value === "boolean") return `${name}${between}${value ? "yes" : "no"}`;
  if (typeof value !== "number") return `${name}${between}${value === null ? "none" : String(value)}`;
  for (const [unit, shorter, text] of units) {
    if (unit.test(name)) return `${name.replace(unit, shorter)}${between}${text(value, nowMs)}`;
  }
  return `${name}${between}${value}`;
}

const units: readonly (readonly [unit: RegExp, shorter: string, text: (value: number, nowMs: number) => string])[] = [
  [/AtMs$/, "At", (ms) => new Date(ms).toISOString()],
  // By the clock that runs since the machine's start: no other is believed.
  [/(Since|Heard)Ms$/, "$1", (ms, nowMs) => `${durationText((nowMs - ms) / 1000)} ago`],
  [/(?<=[a-z])Ms$/, "", (ms) => durationText(ms / 1000)],
  [/(?<=[a-z])S$/, "", (seconds) => durationText(seconds)],
  [/(?<=[a-z])Bytes$/, "", (bytes) => bytesText(bytes)],
  [/Part$/, "", (part) => `${Math.round(part * 100)} %`],
];

/** Seconds as the two largest units that count, such as `2 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    [Math.floor(whole / dayS), "d"],
    [Math.floor((whole % dayS) / 3600), "h"],
    [Math.floor((whole % 3600) / 60), "min"],
    [whole % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first === -1) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

/** Bytes in the largest unit of which there is one at least. */
export function bytesText(bytes: number): string {
  for (const [size, unit] of [
    [1024 * mebibyte, "GiB"],
    [mebibyte, "MiB"],
    [1024, "KiB"],
  ] as const) {
    if (bytes >= size) return `${(bytes / size).toFixed(bytes >= 10 * size || bytes % size === 0 ? 0 : 1)} ${unit}`;
  }
  return `${bytes} bytes`;
}

function isInterval(value: unknown): value is { lo: number; hi: number | null } {
  if (value === null || typeof value !== "object") return false;
  const { lo, hi } = value as { lo?: unknown; hi?: unknown };
  return typeof lo === "number" && (typeof hi === "number" || hi === null);
}

function intervalText({ lo, hi }: { lo: number; hi: number | null }): string {
  const date = (seconds: number) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
  return hi === null ? `not before ${date(lo)}` : `${date(lo)} to ${date(hi)}`;
}
