// The measure of a read: node:http alone, answering every request with the same bytes. Told by its parent over the channel.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What a real read was answered with. */
export interface BareAnswer {
  /** Names and values, those that node:http adds by itself left out. */
  readonly headers: readonly string[];
  /** Base64. */
  readonly body: string;
}

process.once("disconnect", () => process.exit());
process.once("message", (answer: BareAnswer) => {
  const headers = [...answer.headers];
  const body = Buffer.from(answer.body, "base64");
  const server = createServer((_request, response) => {
    response.writeHead(200, headers);
    response.end(body);
  });
  server.keepAliveTimeout = 65_000;
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
});
