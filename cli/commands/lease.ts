import { callAdmin } from "../../agent/admin/index.ts";
import { CliError, type CommandModule, dataPath, table, withData } from "../frame/index.ts";
import { secondsOf } from "./duration.ts";

interface LeaseAnswer {
  readonly leaseId: string;
  readonly application: string;
  readonly pattern: string;
  readonly notAfterMs: number;
  readonly rotatedAtEnd?: readonly string[];
}

/** `tidegate lease grant | list | revoke`. */
export const leaseCommand: CommandModule = (program, frame) => {
  const lease = program.command("lease").description("grants with an end, after which what was read is rotated");
  withData(lease.command("grant <application> <pattern>"))
    .description("let an application read what the pattern covers for a while")
    .requiredOption("--for <time>", "how long, such as 30m, 2h or 1d")
    .action(async (application: string, pattern: string, options: { data?: string; for: string }) => {
      const forS = secondsOf(options.for);
      if (forS === null) throw new CliError("CLI_USAGE", "--for takes a time such as 30m, 2h or 1d");
      const body = { application, pattern, forS };
      const answer = (await callAdmin(dataPath(frame, "vault", options), {
        method: "POST",
        path: "/v1/leases",
        body,
      })) as LeaseAnswer;
      frame.output.result(answer, ({ leaseId, notAfterMs, rotatedAtEnd = [] }) => [
        `${leaseId}: ${application} reads ${pattern} until ${new Date(notAfterMs).toISOString()}`,
        ...rotatedAtEnd.map((path) => `  ${path} is rotated then`),
      ]);
      if (answer.rotatedAtEnd?.length === 0) frame.output.say("note: no account that it covers can be rotated when it ends");
    });
  withData(lease.command("list"))
    .description("list the leases that run")
    .action(async (options: { data?: string }) => {
      const all = (await callAdmin(dataPath(frame, "vault", options), { method: "GET", path: "/v1/leases" })) as LeaseAnswer[];
      frame.output.result(all, (leases) =>
        table([
          ["LEASE", "APPLICATION", "MAY READ", "UNTIL"],
          ...leases.map((each) => [each.leaseId, each.application, each.pattern, new Date(each.notAfterMs).toISOString()]),
        ]),
      );
    });
  withData(lease.command("revoke <id>"))
    .description("end a lease now; what it covers is rotated at once")
    .action(async (id: string, options: { data?: string }) => {
      const path = `/v1/leases/${encodeURIComponent(id)}`;
      const answer = await callAdmin(dataPath(frame, "vault", options), { method: "DELETE", path });
      frame.output.result(answer, () => `${id} has ended`);
    });
};
