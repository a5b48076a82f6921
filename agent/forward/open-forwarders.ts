import type { ForwardTarget } from "../config/index.ts";
import {
  cefMessage,
  cefSyslogMessage,
  type EventFormat,
  jsonLine,
  ocsfLine,
  type Speaker,
  syslogMessage,
} from "../event-format/index.ts";
import type { Log } from "../log/index.ts";
import type { Seams, Timers } from "../seams/index.ts";
import type { Collector, LeafFeed } from "./contracts.ts";
import { fileCollector } from "./file-collector.ts";
import { Forwarder } from "./forwarder.ts";
import { LeafReader } from "./leaf-reader.ts";
import { tcpCollector, tlsCollector, unixCollector } from "./socket-collector.ts";

export interface OpenForwardersOptions {
  readonly targets: readonly ForwardTarget[];
  readonly feed: LeafFeed;
  readonly speaker: Speaker;
  readonly seams: Pick<Seams, "clock" | "timers" | "random">;
  readonly log: Log;
  /** The way to a target; sockets and files unless given. */
  readonly collector?: ((target: ForwardTarget) => Collector) | undefined;
}

/** A forwarder for each target, all of them running. */
export function openForwarders(options: OpenForwardersOptions): Forwarder[] {
  const { targets, feed, speaker, seams, log, collector } = options;
  return targets.map((target) => {
    const { name, format, from } = target;
    const { write, frame } = spellingOf(target);
    const reader = new LeafReader({ target: name, feed, format: write, speaker, frame });
    return new Forwarder({
      name,
      format,
      from,
      feed,
      reader,
      collector: (collector ?? collectorOf)(target, seams.timers),
      seams,
      log,
    });
  });
}

function collectorOf(target: ForwardTarget, timers: Timers): Collector {
  if (target.to === "tls") return tlsCollector(target, timers);
  if (target.to === "tcp") return tcpCollector(target.address, timers);
  return target.to === "unix" ? unixCollector(target.path, timers) : fileCollector(target.path, target.maxMib * 1024 * 1024);
}

/** Syslog goes behind its length over a connection (RFC 5425, RFC 6587), everything else as lines. CEF needs its header only over syslog. */
function spellingOf({ format, to }: ForwardTarget): { write: EventFormat; frame: (message: string) => string } {
  const line = (message: string) => `${message}\n`;
  const counted = to === "file" ? line : (message: string) => `${Buffer.byteLength(message)} ${message}`;
  if (format === "rfc5424") return { write: syslogMessage, frame: counted };
  if (format === "cef") return { write: to === "file" ? cefMessage : cefSyslogMessage, frame: counted };
  return { write: format === "ocsf" ? ocsfLine : jsonLine, frame: line };
}
