import { callAdmin } from "../../agent/admin/index.ts";
import {
  CliError,
  type CommandModule,
  dataPath,
  exitCodes,
  type Frame,
  hintOf,
  table,
  wholeNumber,
  withData,
} from "../frame/index.ts";
import { countText, type FleetAnswer, type FleetHead, fleetLines, isEnded } from "./fleet-view.ts";

interface StartOptions {
  readonly data?: string;
  readonly zone: readonly string[];
  readonly model: readonly string[];
  readonly path: readonly string[];
  readonly exposedBy?: string;
  readonly canaries?: number;
  readonly parallel?: number;
  readonly within?: number;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
}

/** How often a waiting command asks how far it is. */
const pollMs = 500;

/** `tidegate fleet rotate | list | status | stop | resume`. */
export const fleetCommand: CommandModule = (program, frame) => {
  const fleet = program.command("fleet").description("rotate many accounts: canaries first, then a few in each zone at a time");
  withData(fleet.command("rotate"))
    .description("rotate every account that fits; the first one whose password is not known any more stops it")
    .option("--zone <zone>", "only this zone; may be given more than once", collect, [])
    .option("--model <model>", "only devices of this model; may be given more than once", collect, [])
    .option(
      "--path <pattern>",
      "only accounts that this pattern covers, such as line-4/**; may be given more than once",
      collect,
      [],
    )
    .option("--exposed-by <gateway>", "only accounts of which a gateway that was replaced has a value in use")
    .option("--canaries <number>", "accounts that must come through before any other is begun", wholeNumber("--canaries"))
    .option("--parallel <number>", "accounts at once in each zone", wholeNumber("--parallel"))
    .option("--within <seconds>", "how long an edge may take to begin", wholeNumber("--within"))
    .option("--dry-run", "list what would be rotated, in order; nothing is ordered")
    .option("--detach", "do not wait for the end")
    .action((options: StartOptions) => rotate(frame, options));
  withData(fleet.command("list"))
    .description("list the fleet rotations, newest first")
    .action(async (options: { data?: string }) => {
      frame.output.result(await call<FleetHead[]>(frame, options, { method: "GET", path: "/v1/fleet" }), (runs) =>
        table([
          ["FLEET ROTATION", "STATE", "BEGUN", "REASON"],
          ...runs.map((run) => [
            run.fleetId,
            run.state,
            new Date(run.createdAtMs).toISOString(),
            [run.code, run.stoppedBy].filter((text) => text !== null).join(" "),
          ]),
        ]),
      );
    });
  withData(fleet.command("status [id]"))
    .description("show how far a fleet rotation is; the newest unless one is named")
    .action(async (id: string | undefined, options: { data?: string }) => {
      frame.output.result(await status(frame, options, id), fleetLines);
    });
  withData(fleet.command("stop [id]"))
    .description("withdraw the orders that wait; what an edge has begun it finishes")
    .action(async (id: string | undefined, options: { data?: string }) => {
      const { fleetId } = await status(frame, options, id);
      frame.output.result(
        await call<FleetAnswer>(frame, options, { method: "POST", path: `/v1/fleet/${fleetId}/stop` }),
        fleetLines,
      );
    });
  withData(fleet.command("resume [id]"))
    .description("take a stopped one up again: what is done stays done")
    .option("--detach", "do not wait for the end")
    .action(async (id: string | undefined, options: { data?: string; detach?: boolean }) => {
      const { fleetId } = await status(frame, options, id);
      const path = `/v1/fleet/${fleetId}/resume`;
      await follow(frame, options, await call<FleetAnswer>(frame, options, { method: "POST", path }));
    });
};

async function rotate(frame: Frame, options: StartOptions): Promise<void> {
  const body = {
    zones: options.zone,
    models: options.model,
    paths: options.path,
    exposedBy: options.exposedBy ?? null,
    ...(options.canaries === undefined ? {} : { canaries: options.canaries }),
    ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
    ...(options.within === undefined ? {} : { withinS: options.within }),
    dryRun: options.dryRun === true,
  };
  const request = { method: "POST", path: "/v1/fleet", body } as const;
  if (options.dryRun) {
    const plan = await call<{ members: { path: string; canary: boolean }[] }>(frame, options, request);
    frame.output.result(plan, ({ members }) => [
      ...members.map(({ path, canary }) => `${path}${canary ? "  canary" : ""}`),
      `${members.length} accounts would be rotated; nothing was ordered`,
    ]);
    return;
  }
  await follow(frame, options, await call<FleetAnswer>(frame, options, request));
}

/** Shows a bar until the run has ended. An interrupted command leaves the run as it is: the vault carries it on. */
async function follow(frame: Frame, options: { data?: string; detach?: boolean }, first: FleetAnswer): Promise<void> {
  if (options.detach) {
    frame.output.result(first, fleetLines);
    frame.output.say("next: tidegate fleet status");
    return;
  }
  let answer = first;
  const progress = frame.progress("rotating", answer.members.length);
  frame.output.say(`${answer.fleetId}: the vault carries it on where this command is interrupted`);
  try {
    while (answer.state === "running") {
      progress.update(answer.members.filter(({ state }) => isEnded(state)).length, countText(answer));
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      answer = await status(frame, options, answer.fleetId);
    }
  } finally {
    progress.end();
  }
  frame.output.result(answer, fleetLines);
  if (answer.state === "done" && answer.members.every(({ state }) => state === "done")) return;
  const hint = hintOf(answer.code ?? "");
  if (hint !== undefined) frame.output.say(`hint: ${hint}`);
  frame.exit(exitCodes.negative);
}

function status(frame: Frame, options: { data?: string }, id?: string): Promise<FleetAnswer> {
  if (id !== undefined && !/^[0-9a-f]{32}$/.test(id)) {
    throw new CliError("CLI_USAGE", "a fleet rotation is named by its 32 hexadecimal digits", {
      hint: "List them with 'tidegate fleet list'.",
    });
  }
  return call<FleetAnswer>(frame, options, { method: "GET", path: `/v1/fleet/${id ?? "newest"}` });
}

async function call<Answer>(
  frame: Frame,
  options: { data?: string },
  request: { method: "GET" | "POST"; path: string; body?: unknown },
): Promise<Answer> {
  return (await callAdmin(dataPath(frame, "vault", options), request)) as Answer;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
