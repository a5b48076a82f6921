import { executionAsyncResource } from "node:async_hooks";

const kept: object[] = [];

/**
 * Keeps one of the objects in which Node holds a `process.nextTick` call, for the life of the process. Once none of them lives while
 * the whole heap is collected, V8 forgets their shape, and from then on it makes each of them by the slow way: eight a request, together a
 * tenth of a read. Call it first of all in a process that serves. Resolves with what is kept.
 */
export function keepTickShape(): Promise<object> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      const tick = executionAsyncResource();
      kept.push(tick);
      resolve(tick);
    });
  });
}
