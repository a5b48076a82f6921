import type { Metrics } from "../metrics/index.ts";
import type { ForwardStatus } from "./contracts.ts";

/** What is known of each collector: how much it got, how far it is behind, and what keeps it from more. */
export function gaugeForwarders(metrics: Metrics, status: () => readonly ForwardStatus[]): void {
  const each = (value: (one: ForwardStatus) => number) => () =>
    status().map((one) => ({ labels: { target: one.name }, value: value(one) }));
  metrics.family({
    kind: "Counter",
    name: "forward_sent",
    help: "Audit entries that a collector has proven to have, since the start.",
    labels: ["target"],
    read: each(({ sent }) => sent),
  });
  metrics.family({
    kind: "Counter",
    name: "forward_missed",
    help: "Audit entries that a collector never gets, since the start.",
    labels: ["target"],
    read: each(({ missed }) => missed),
  });
  metrics.family({
    kind: "Gauge",
    name: "forward_behind",
    help: "Audit entries that a collector is not known to have.",
    labels: ["target"],
    read: each(({ behind }) => behind),
  });
  metrics.family({
    kind: "Gauge",
    name: "forward_failing",
    help: "1 while the last try to reach a collector ended with this code.",
    labels: ["target", "code"],
    read: () =>
      status().flatMap(({ name, lastCode }) =>
        lastCode === null ? [] : [{ labels: { target: name, code: lastCode }, value: 1 }],
      ),
  });
}
