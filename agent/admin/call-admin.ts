import { type IncomingMessage, request } from "node:http";
import { z } from "zod";
import { dataFolderAt } from "../data-folder/index.ts";
import { AdminError, RemoteError } from "./errors.ts";

/** Largest answer that is taken whole, bytes: a list of 100,000 devices. */
const maxAnswerBytes = 64 * 1024 * 1024;

/** How long a look at a node may take, ms: the longest list of a vault takes seconds. A node that was halted takes connections and never answers. */
const lookMs = 30_000;

/** The same for what changes something, such as a backup or an archive of a large log. */
const workMs = 600_000;

export interface AdminCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With its query, already escaped. */
  readonly path: string;
  readonly body?: unknown;
  /** How long to wait until the answer begins, ms, where that is another time than the usual one. */
  readonly patienceMs?: number;
}

/**
 * Calls the node of this data folder and returns its JSON. Throws the problem's own code ({@link RemoteError}),
 * ADMIN_UNREACHABLE where no node runs there and ADMIN_PROTOCOL where something else answers.
 */
export async function callAdmin(dataFolder: string, call: AdminCall): Promise<unknown> {
  const response = await open(dataFolder, call);
  return parsed(await whole(response));
}

/** As {@link callAdmin}, for a call that answers line by line until it ends or the caller stops iterating. */
export async function* streamAdmin(dataFolder: string, call: AdminCall): AsyncGenerator<unknown> {
  const response = await open(dataFolder, call);
  let rest = "";
  response.setEncoding("utf8");
  try {
    for await (const chunk of response) {
      rest += chunk;
      if (rest.length > maxAnswerBytes) throw new AdminError("ADMIN_PROTOCOL", "a line of the answer does not end");
      const complete = rest.split("\n");
      rest = complete.pop() ?? "";
      for (const line of complete) yield parsed(line);
    }
  } finally {
    response.destroy();
  }
}

async function open(dataFolder: string, call: AdminCall): Promise<IncomingMessage> {
  const { adminSocket } = dataFolderAt(dataFolder);
  const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      {
        socketPath: adminSocket,
        // A connection that is used again may be one that a busy node gives up just then.
        agent: false,
        method: call.method,
        path: call.path,
        headers: body === undefined ? {} : { "content-type": "application/json", "content-length": body.length },
      },
      (answer) => {
        // What follows may take its time, such as the next entry of a log.
        outgoing.setTimeout(0);
        resolve(answer);
      },
    );
    const patienceMs = call.patienceMs ?? (call.method === "GET" ? lookMs : workMs);
    const silent = Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
    outgoing.setTimeout(patienceMs, () => outgoing.destroy(silent));
    outgoing.on("error", (cause) => reject(unreachable(dataFolder, cause)));
    outgoing.end(body);
  });
  if (response.statusCode !== undefined && response.statusCode >= 200 && response.statusCode < 300) return response;
  throw remoteError(parsed(await whole(response)));
}

function unreachable(dataFolder: string, cause: unknown): AdminError {
  return new AdminError("ADMIN_UNREACHABLE", `no node answers in ${dataFolder}`, {
    cause,
    hint: unreachableHint((cause as NodeJS.ErrnoException).code),
  });
}

function unreachableHint(code: string | undefined): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "Only the node's own user may ask it: run the command as that user, such as with 'sudo -u USER'.";
    case "ETIMEDOUT":
      return "Its process is there and says nothing: is it halted ('ps' shows T), or its machine overloaded? What was asked for may be carried out all the same.";
    default:
      return "Is it running? Start it with 'tidegate vault|gateway|edge run', or name its folder with --data DIR.";
  }
}

async function whole(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maxAnswerBytes) throw new AdminError("ADMIN_PROTOCOL", `an answer has at most ${maxAnswerBytes} bytes`);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AdminError("ADMIN_PROTOCOL", "the answer is not JSON", { cause });
  }
}

const problemSchema = z.object({
  code: z.string(),
  detail: z.string(),
  status: z.number(),
  fault: z.enum(["peer", "operator", "caller", "environment", "bug"]),
  retryable: z.boolean(),
  hint: z.string().optional(),
  problems: z
    .array(z.object({ path: z.string(), line: z.number().nullable(), found: z.string(), expected: z.string() }))
    .optional(),
});

function remoteError(value: unknown): RemoteError | AdminError {
  const read = problemSchema.safeParse(value);
  if (!read.success) return new AdminError("ADMIN_PROTOCOL", "the answer is not a problem of ours", { cause: read.error });
  const { detail: message, fault, ...rest } = read.data;
  return new RemoteError({ ...rest, message, fault: fault === "bug" ? "environment" : fault });
}
