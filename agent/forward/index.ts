export type { Collector, CollectorLink, ForwardGap, ForwardStatus, LeafFeed } from "./contracts.ts";
export { FORWARD_CODES, ForwardError } from "./errors.ts";
export { Forwarder, type ForwarderOptions } from "./forwarder.ts";
export { gaugeForwarders } from "./gauges.ts";
export { decodePosition, encodePosition, gapEvent, nodeFeed } from "./node-feed.ts";
export { type OpenForwardersOptions, openForwarders } from "./open-forwarders.ts";
