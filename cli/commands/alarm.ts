import { callAdmin } from "../../agent/admin/index.ts";
import { type CommandModule, dataPath, table, withData } from "../frame/index.ts";

interface AlarmAnswer {
  readonly code: string;
  readonly subject: string;
  readonly nodeName: string | null;
  readonly atMs: number;
  readonly count: number;
  readonly resolvedAtMs: number | null;
}

/** `tidegate alarm list`. */
export const alarmCommand: CommandModule = (program, frame) => {
  const alarm = program.command("alarm").description("alarms that a vault has kept");
  withData(alarm.command("list"))
    .description("list the newest alarms, at most 100; what a code means stands in ERRORS.md")
    .action(async (options: { data?: string }) => {
      const call = { method: "GET", path: "/v1/alarms" } as const;
      const alarms = (await callAdmin(dataPath(frame, "vault", options), call)) as AlarmAnswer[];
      frame.output.result(alarms, (all) => {
        if (all.length === 0) return "no alarms";
        const rows = all.map((each) => [
          new Date(each.atMs).toISOString(),
          each.nodeName ?? "vault",
          each.code,
          each.subject,
          String(each.count),
          each.resolvedAtMs === null ? "stands" : "ended",
        ]);
        return table([["LAST", "FROM", "CODE", "ABOUT", "TIMES", "STATE"], ...rows]);
      });
    });
};
