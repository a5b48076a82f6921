/** A fleet rotation without its accounts. */
export interface FleetHead {
  readonly fleetId: string;
  readonly state: "running" | "stopped" | "done";
  readonly code: string | null;
  readonly stoppedBy: string | null;
  readonly createdAtMs: number;
}

/** A fleet rotation as the vault tells it. */
export interface FleetAnswer extends FleetHead {
  readonly members: readonly {
    readonly path: string;
    readonly canary: boolean;
    readonly state: string;
    readonly code: string | null;
  }[];
}

/** True where nothing more happens to the account by itself. */
export function isEnded(state: string): boolean {
  return state !== "waiting" && state !== "ordered";
}

/** "12 done, 1 failed, 3 ordered". */
export function countText({ members }: FleetAnswer): string {
  const counts = new Map<string, number>();
  for (const { state } of members) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts].map(([state, count]) => `${count} ${state}`).join(", ");
}

/** The summary: how it stands, then every account that is not done, with why. */
export function fleetLines(answer: FleetAnswer): string[] {
  const { fleetId, state, code, stoppedBy, members } = answer;
  const reason = code === null ? "" : ` (${code}${stoppedBy === null ? "" : ` at ${stoppedBy}`})`;
  const open = members.filter((member) => member.state !== "done");
  return [
    `${fleetId}  ${state}${reason}: ${countText(answer)}, of ${members.length}`,
    ...open.map((member) =>
      `  ${member.path}  ${member.state}${member.code === null ? "" : ` (${member.code})`}${member.canary ? "  canary" : ""}`.trimEnd(),
    ),
    ...(state === "stopped" ? [`next: tidegate fleet resume ${fleetId}, once the cause is put right`] : []),
  ];
}
