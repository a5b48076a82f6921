import { callAdmin } from "../../agent/admin/index.ts";
import { type CommandModule, dataPath, type Frame, table, wholeNumber, withData, writeSecretFile } from "../frame/index.ts";
import { grantHint } from "./grant-hint.ts";

interface AddOptions {
  readonly data?: string;
  readonly node?: string;
  readonly uid?: number;
  readonly person?: boolean;
}

interface ApplicationAnswer {
  readonly name: string;
  readonly node: string | null;
  readonly uid: number | null;
  readonly disabled: boolean;
  readonly person: boolean;
  readonly hasToken: boolean;
  readonly grants: readonly string[];
}

/** `tidegate app add | list | grant | token | disable`. */
export const appCommand: CommandModule = (program, frame) => {
  const app = program.command("app").description("applications that read credentials");
  withData(app.command("add <name>"))
    .description("register an application; it can read nothing yet")
    .option("--node <node>", "the only gateway or edge that serves it")
    .option("--uid <uid>", "the user id that its process has, for the Unix socket", wholeNumber("--uid"))
    .option("--person", "a person reads with its token: what was read is rotated an hour later where the account says so")
    .action(async (name: string, options: AddOptions) => {
      const body = { name, node: options.node ?? null, uid: options.uid ?? null, person: options.person === true };
      await call(frame, options, { method: "POST", path: "/v1/applications", body });
      frame.output.result({ name }, () => `${name} is registered; next: tidegate app grant ${name} ZONE/**`);
    });
  withData(app.command("list"))
    .description("list the applications")
    .action(async (options: { data?: string }) => {
      const all = (await call(frame, options, { method: "GET", path: "/v1/applications" })) as ApplicationAnswer[];
      frame.output.result(all, (apps) =>
        table([
          ["APPLICATION", "SERVED BY", "TOKEN", "STATE", "MAY READ"],
          ...apps.map((each) => [
            each.person ? `${each.name} (person)` : each.name,
            each.node ?? "any",
            each.hasToken ? "yes" : "no",
            each.disabled ? "disabled" : "enabled",
            each.grants.join(" "),
          ]),
        ]),
      );
    });
  withData(app.command("grant <name> <pattern>"))
    .description("let an application read what the pattern covers: * is one segment, ** at the end the rest")
    .option("--revoke", "take the grant back instead")
    .action(async (name: string, pattern: string, options: { data?: string; revoke?: boolean }) => {
      const path = `/v1/applications/${encodeURIComponent(name)}/grants`;
      const answer =
        options.revoke === true
          ? await call(frame, options, { method: "DELETE", path: `${path}?pattern=${encodeURIComponent(pattern)}` })
          : await call(frame, options, { method: "POST", path: path, body: { pattern } });
      frame.output.result(answer, () => `${name} ${options.revoke === true ? "no longer reads" : "reads"} ${pattern}`);
      const hint = options.revoke === true ? null : grantHint(pattern);
      if (hint !== null) frame.output.say(hint);
    });
  withData(app.command("token <name>"))
    .description("make a new token, which is told once; the old one ends")
    .option("--out <file>", "write it to this file (0600) instead of printing it")
    .action(async (name: string, options: { data?: string; out?: string }) => {
      const answer = (await call(frame, options, {
        method: "POST",
        path: `/v1/applications/${encodeURIComponent(name)}/token`,
      })) as { token: string };
      if (options.out === undefined) return frame.output.result(answer, ({ token }) => token);
      writeSecretFile(options.out, `${answer.token}\n`);
      frame.output.result({ name, file: options.out }, ({ file }) => `the token of ${name} is in ${file}`);
    });
  withData(app.command("disable <name>"))
    .description("end an application's access; --enable lets it in again")
    .option("--enable", "let it in again")
    .action(async (name: string, options: { data?: string; enable?: boolean }) => {
      const disabled = options.enable !== true;
      const answer = await call(frame, options, {
        method: "PUT",
        path: `/v1/applications/${encodeURIComponent(name)}/disabled`,
        body: { disabled },
      });
      frame.output.result(answer, () => `${name} is ${disabled ? "disabled" : "enabled"}`);
    });
};

interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

function call(frame: Frame, options: { data?: string }, what: Call): Promise<unknown> {
  return callAdmin(dataPath(frame, "vault", options), what);
}
