import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import t, { type Test } from "tap";
import { apiLimits } from "../../agent/local-api/limits.ts";
import { TurnAnswers } from "../../agent/local-api/turn-answers.ts";

interface Rig {
  readonly socket: ReturnType<typeof connect>;
  /** Responses to the requests that were sent, in their order. */
  readonly responses: ServerResponse[];
}

/** One connection on which `count` requests were sent ahead, none of them answered yet. */
async function asked(t: Test, count: number): Promise<Rig> {
  const responses: ServerResponse[] = [];
  const all = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    responses.push(response);
    if (responses.length === count) all.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.teardown(() => {
    socket.destroy();
    server.close();
  });
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(count));
  await all.promise;
  return { socket, responses };
}

/** Ends every response with a body of its own, in one turn; returns the bodies. */
function answerAll(answers: TurnAnswers, responses: readonly ServerResponse[]): Buffer[] {
  return responses.map((response, i) => {
    const body = Buffer.from(`<answer ${i}>`);
    response.writeHead(200, { "content-length": body.length });
    answers.end(response, body);
    return body;
  });
}

const isWiped = (body: Buffer) => body.every((byte) => byte === 0);

t.test("answers of one turn are written at its end, whole and in order, and wiped then", async (t) => {
  const { socket, responses } = await asked(t, 3);
  const bodies = answerAll(new TurnAnswers(), responses);
  t.same(
    responses.map((response) => response.writableEnded),
    [false, false, false],
    "none is written while others may still come",
  );
  await turn();
  t.ok(
    responses.every((response) => response.writableEnded),
    "all are written at the end of the turn",
  );
  let said = "";
  for await (const part of socket.setEncoding("latin1")) {
    said += part;
    if (said.endsWith("<answer 2>")) break;
  }
  t.same(said.match(/<answer \d>/g), ["<answer 0>", "<answer 1>", "<answer 2>"]);
  await turn();
  t.ok(bodies.every(isWiped), "also those that waited for the one before on their connection");
});

t.test("an answer whose reader has gone is wiped and keeps no other from being written", async (t) => {
  const [gone, there] = [await asked(t, 1), await asked(t, 1)];
  const answers = new TurnAnswers();
  const [lost] = answerAll(answers, gone.responses);
  const [kept] = answerAll(answers, there.responses);
  gone.responses[0]?.destroy();
  await turn();
  t.ok(lost !== undefined && isWiped(lost), "never written");
  const [part] = (await once(there.socket, "data")) as [Buffer];
  t.match(part.toString("latin1"), /<answer 0>$/);
  t.ok(kept !== undefined && isWiped(kept), "written");
});

t.test("a reader that goes while its answer is on the way leaves none in memory", async (t) => {
  const { socket, responses } = await asked(t, 1);
  const body = Buffer.alloc(64 * 1024 * 1024, "x");
  socket.pause();
  const [response] = responses;
  if (response === undefined) throw new Error("it was asked");
  response.writeHead(200, { "content-length": body.length });
  new TurnAnswers().end(response, body);
  await turn();
  t.notOk(isWiped(body), "the kernel has not taken all of it");
  const closed = once(response, "close");
  socket.destroy();
  await closed;
  t.ok(isWiped(body));
});

t.test("a turn with many answers writes them on the way", async (t) => {
  const { responses } = await asked(t, apiLimits.answersOfATurn + 1);
  answerAll(new TurnAnswers(), responses);
  t.ok(
    responses.slice(0, -1).every((response) => response.writableEnded),
    "a full batch does not wait",
  );
  t.notOk(responses.at(-1)?.writableEnded, "the next begins another");
});
