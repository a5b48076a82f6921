/**
 * The tunnel of a node: sessions over WebSocket and TLS 1.3, dialled outwards only. How a node uses it:
 *
 * 1. Implement {@link Mailroom} on your store. Five functions; each may be synchronous or return a promise.
 *    `accept` answers "stored" only after the commit. `outgoing` skips what `wants` says no to.
 * 2. Fill a {@link TunnelNode}: ids, signing key, member statement, `trust()` (make it with `tunnelTrust(state)` of
 *    protocol/tunnel), `learn` (persist), the mailroom, the seams.
 * 3. Dial (gateway to vault, edge to gateway):
 *    `dialTunnel({ node, peer: () => idOfTheListener, address: "host:port", dial: socketDial(tls), nextCounter, report })`.
 *    It keeps one session alive for ever; `status()` for health; `wake()` after you stored something to send; `close()`.
 *    `nextCounter()` returns a number above every one before, durable before it returns.
 * 4. Listen (vault, gateway): `await listenTunnel({ node, address: "host:port", listen: socketListen(tls), admit, onJoin, report })`.
 *    `address` with the real port; `sessionFor(nodeId)`; `sessions()`; `wake(nodeId)` after storing for that node (or for
 *    a node behind it); `close()`. `admit(peer)` says whose role and zone may connect. `onJoin(carrier, remote)` answers a join
 *    request with a carrier or `{ refuse: CODE }`; it may take minutes (a gateway asks the vault first).
 * 5. Join (a new node): `await requestJoin({ address, carrier, dial: socketDial(null), seams })` gives the answer's carrier. TLS is
 *    not checked there: the answer proves itself under the root id in the enrolment code.
 *
 * `tls` is the identity's `{ key, chain }`. Tests and the simulation use `memoryNetwork()` of test/support in place of sockets.
 */
export { BackOff } from "./back-off.ts";
export { type AwayStatus, type DialledTunnel, type DialOptions, dialTunnel, type TunnelStatus } from "./dial-tunnel.ts";
export { LINK_CODES, LinkError } from "./errors.ts";
export type { JoinAnswer, JoinHandler } from "./join-desk.ts";
export { type ListenerOptions, listenTunnel, type TunnelListener } from "./listen-tunnel.ts";
export type { Awaitable, Mailroom, OutgoingRequest } from "./mailroom.ts";
export {
  type Admission,
  type Dial,
  type DialTarget,
  joinPath,
  type Listen,
  type Listening,
  type ListenOptions,
  type MessageStream,
  type StreamPath,
  type StreamReceiver,
  tunnelPath,
} from "./message-stream.ts";
export { type JoinOptions, requestJoin } from "./request-join.ts";
export { socketDial } from "./socket-dial.ts";
export { socketListen } from "./socket-listen.ts";
export { tunnelLeaf } from "./tunnel-leaf.ts";
export type { SessionFacts, TunnelEvent, TunnelNode, TunnelReporter } from "./tunnel-node.ts";
