/** One node's metrics, Prometheus text; never a global registry, so that a test can run ten nodes in one process. */
export interface Metrics {
  /** A counter `tidegate_<name>_total`, made at first use. `labels` fixes the label names. */
  counter(name: string, help: string, labels?: readonly string[]): (labels?: Record<string, string>, by?: number) => void;
  /** A counter `tidegate_<name>_total` that somebody else counts; asked for at each scrape. */
  counted(name: string, help: string, read: () => number): void;
  /** A gauge `tidegate_<name>` whose value is asked for at each scrape. */
  gauge(name: string, help: string, read: () => number): void;
  /** As many values of one metric as `read` gives at a scrape, each with its labels; `tidegate_<name>`, `_total` for a counter. */
  family(family: MetricFamily): void;
  /** The exposition, text format 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** One metric with labels, counted by somebody else. */
export interface MetricFamily {
  readonly kind: "Counter" | "Gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  read(): Iterable<{ readonly labels: Record<string, string>; readonly value: number }>;
}

/** One metric: its values are asked for at each scrape. */
interface Series {
  readonly kind: "Counter" | "Gauge";
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  values(): Iterable<{ readonly labels: Record<string, string>; readonly value: number }>;
}

/** Metrics are plain numbers here; the library that writes the format is loaded by the first scrape, for an edge may never see one. */
export function createMetrics(): Metrics {
  const all: Series[] = [];
  const single = (read: () => number) => () => [{ labels: {}, value: read() }];
  return {
    counter(name, help, labels = []) {
      const counts = new Map<string, { labels: Record<string, string>; value: number }>();
      all.push({ kind: "Counter", name: `tidegate_${name}_total`, help, labels, values: () => counts.values() });
      return (values = {}, by = 1) => {
        const key = labels.map((label) => values[label] ?? "").join("\u0000");
        counts.set(key, { labels: values, value: (counts.get(key)?.value ?? 0) + by });
      };
    },
    counted(name, help, read) {
      all.push({ kind: "Counter", name: `tidegate_${name}_total`, help, labels: [], values: single(read) });
    },
    gauge(name, help, read) {
      all.push({ kind: "Gauge", name: `tidegate_${name}`, help, labels: [], values: single(read) });
    },
    family({ kind, name, help, labels, read }) {
      all.push({ kind, name: `tidegate_${name}${kind === "Counter" ? "_total" : ""}`, help, labels, values: read });
    },
    text: () => exposition(all),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
  };
}

async function exposition(all: readonly Series[]): Promise<string> {
  const { default: prometheus } = await import("prom-client");
  const { Counter, Gauge, Registry } = prometheus;
  const registry = new Registry();
  for (const { kind, name, help, labels, values } of all) {
    const options = { name, help, labelNames: [...labels], registers: [registry] };
    const metric = kind === "Counter" ? new Counter(options) : new Gauge(options);
    for (const each of values()) metric.inc(each.labels, each.value);
  }
  return registry.metrics();
}
