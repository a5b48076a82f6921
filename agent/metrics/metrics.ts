import { Counter, Gauge, Registry } from "prom-client";

/** One node's metrics, Prometheus text; never a global registry, so that a test can run ten nodes in one process. */
export interface Metrics {
  /** A counter `tidegate_<name>_total`, made at first use. `labels` fixes the label names. */
  counter(name: string, help: string, labels?: readonly string[]): (labels?: Record<string, string>, by?: number) => void;
  /** A counter `tidegate_<name>_total` that somebody else counts; asked for at each scrape. */
  counted(name: string, help: string, read: () => number): void;
  /** A gauge `tidegate_<name>` whose value is asked for at each scrape. */
  gauge(name: string, help: string, read: () => number): void;
  /** The exposition, text format 0.0.4. */
  text(): Promise<string>;
  readonly contentType: string;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  return {
    counter(name, help, labels = []) {
      const counter = new Counter({ name: `tidegate_${name}_total`, help, labelNames: [...labels], registers: [registry] });
      return (values = {}, by = 1) => counter.inc(values, by);
    },
    counted(name, help, read) {
      const counter: Counter = new Counter({
        name: `tidegate_${name}_total`,
        help,
        registers: [registry],
        collect: () => {
          counter.reset();
          counter.inc(read());
        },
      });
    },
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({
        name: `tidegate_${name}`,
        help,
        registers: [registry],
        collect: () => gauge.set(read()),
      });
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
