import { once } from "node:events";
import { chmodSync } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { TidegateError } from "../../protocol/base/index.ts";
import { removeFile } from "../data-folder/index.ts";
import { HttpError, inputProblems, problemBytes, problemLine, problemOf, problemType } from "../http/index.ts";
import type { Log } from "../log/index.ts";

/** Largest body, bytes: a custom model or a batch of devices fits; a wrong file does not. */
const maxBodyBytes = 4 * 1024 * 1024;

/** What a call returns whose answer is a text of its own type instead of JSON. */
export class AdminText {
  readonly type: string;
  readonly text: string;

  constructor(type: string, text: string) {
    this.type = type;
    this.text = text;
  }
}

/** One call of a node's admin API. Made with {@link adminRoute}, which checks body and query before `handle` sees them. */
export interface AdminRoute {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `:name` for a parameter. */
  readonly path: string;
  /** Largest body, where it is another than that of all calls. */
  readonly maxBodyBytes?: number | undefined;
  handle(request: { params: Record<string, string>; query: unknown; body: unknown }): unknown;
}

/**
 * A call with schemas (zod `strictObject`s) for what it takes. `handle` returns what is sent as JSON, an async iterable whose
 * values are sent as lines of JSON as they come, or an {@link AdminText}; what it throws is answered as a problem.
 */
export function adminRoute<Body = undefined, Query = undefined>(route: {
  method: AdminRoute["method"];
  path: string;
  body?: z.ZodType<Body>;
  query?: z.ZodType<Query>;
  maxBodyBytes?: number;
  handle(request: { params: Record<string, string>; query: Query; body: Body }): unknown;
}): AdminRoute {
  return {
    method: route.method,
    path: route.path,
    maxBodyBytes: route.maxBodyBytes,
    handle: ({ params, query, body }) =>
      route.handle({
        params,
        query: checked(route.query, query, "query") as Query,
        body: checked(route.body, body, "body") as Body,
      }),
  };
}

export interface AdminServerOptions {
  readonly socketPath: string;
  readonly routes: readonly AdminRoute[];
  readonly log: Log;
}

/**
 * Serves the admin API over a Unix socket, 0600. What a killed process left in its place is removed: the folder's lock is held.
 * The framework is loaded by the first call, for an edge may run for months without one.
 */
export async function createAdminServer(options: AdminServerOptions): Promise<{ close(): Promise<void> }> {
  let application: Promise<FastifyInstance> | null = null;
  const server = createServer((request, response) => {
    application ??= createApplication(options);
    application.then(
      (ready) => ready.routing(request, response),
      (error: unknown) => {
        options.log.error("admin.failed", { error });
        response.destroy();
      },
    );
  });
  removeFile(options.socketPath);
  await once(server.listen({ path: options.socketPath }), "listening");
  chmodSync(options.socketPath, 0o600);
  return {
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      await (await application)?.close();
    },
  };
}

async function createApplication({ routes, log }: AdminServerOptions): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const application = fastify({ logger: false, bodyLimit: maxBodyBytes });
  for (const route of routes) addRoute(application, route);
  application.setNotFoundHandler((request, reply) => {
    sendProblem(reply, new HttpError("REQUEST_NO_ROUTE", `no call ${request.method} ${request.url}`));
  });
  application.setErrorHandler((error, _request, reply) => {
    const shown = asRequestError(error);
    if (!(shown instanceof TidegateError)) log.error("admin.failed", { error: shown });
    sendProblem(reply, shown);
  });
  await application.ready();
  return application;
}

function addRoute(server: FastifyInstance, route: AdminRoute): void {
  server.route({
    method: route.method,
    url: route.path,
    bodyLimit: route.maxBodyBytes ?? maxBodyBytes,
    handler: async (request: FastifyRequest, reply: FastifyReply) => {
      const { params, query, body } = request;
      const result = await route.handle({ params: params as Record<string, string>, query, body: body ?? undefined });
      reply.header("cache-control", "no-store");
      if (result instanceof AdminText) return reply.type(result.type).send(result.text);
      if (isAsyncIterable(result)) {
        return reply.type("application/x-ndjson").send(Readable.from(lines(result)));
      }
      return reply.type("application/json").send(JSON.stringify(result ?? null));
    },
  });
}

function checked(schema: z.ZodType | undefined, value: unknown, what: string): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = inputProblems(result.error.issues, value);
  throw new HttpError("REQUEST_INVALID", `the ${what} is not valid: ${problems.map(problemLine).join("; ")}`, { problems });
}

/** What fastify itself throws for a broken request, as ours. */
function asRequestError(error: unknown): unknown {
  if (error instanceof TidegateError) return error;
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  if (code?.startsWith("FST_") !== true || statusCode === undefined || statusCode >= 500) return error;
  if (statusCode === 413) return new HttpError("REQUEST_TOO_LARGE", "the body is larger than this call takes");
  return new HttpError("REQUEST_INVALID", "the request is not valid", { cause: error });
}

function sendProblem(reply: FastifyReply, error: unknown): void {
  const problem = problemOf(error);
  reply.code(problem.status).type(problemType).send(problemBytes(problem));
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

async function* lines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`;
}
