// The adapter's own process: does one job at a time and ends with its channel. Started by adapter-process.ts only.
import { ambiguous, type Outcome, type PushJob, type SecretFields } from "../contract/index.ts";
import { loadAdapter } from "../registry/index.ts";
import type { AnswerMessage, JobMessage } from "./messages.ts";

// The environment is empty already. These two would have the Modbus library print frames, and with them passwords.
delete process.env["DEBUG"];
delete process.env["NODE_DEBUG"];

// A ^C or a service's stop reaches the whole process group. The edge decides what happens to a job under way: it closes
// the channel.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("disconnect", () => process.exit(0));

process.on("message", (message: JobMessage) => {
  void work(message).then((outcome) => answer({ outcome }));
});
answer({ ready: true });

async function work(message: JobMessage): Promise<Outcome> {
  const { adapter: name, operation, job } = message;
  try {
    const adapter = await loadAdapter(name);
    return operation === "push" ? await adapter.push(job as PushJob) : await adapter[operation](job);
  } catch (error) {
    // An adapter answers, it does not throw; what it had sent by then is unknown. The message may quote a secret.
    return ambiguous("ADAPTER_THREW", error instanceof Error ? error.name : typeof error);
  } finally {
    wipe(job.secrets.current);
    if (job.secrets.next !== null) wipe(job.secrets.next);
    if (job.helper !== undefined) wipe(job.helper.secrets);
  }
}

function wipe(fields: SecretFields): void {
  for (const value of Object.values(fields)) value.fill(0);
}

function answer(message: AnswerMessage): void {
  if (process.connected) process.send?.(message);
}
