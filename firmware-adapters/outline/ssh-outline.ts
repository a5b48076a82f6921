import type { DeviceTarget } from "../contract/index.ts";
import type { SshParameters } from "../models/index.ts";

/** Logins, commands and prompts of a change over SSH. */
export function sshOutline(
  { changedBy, verify, change, save }: SshParameters,
  username: string,
  target: DeviceTarget,
): string[] {
  const helper = changedBy === "admin" ? (target.settings["admin"] ?? "the admin account") : username;
  const prompts = change.prompts.map(
    ({ expect, send }) => `  asked for ${JSON.stringify(expect[0] ?? "")}: the ${send} password`,
  );
  const input = change.stdin === null ? [] : [`  on its standard input: ${change.stdin.replace("{username}", username)}`];
  return [
    `log in as ${username} with the current password and run ${JSON.stringify(verify.command)}`,
    `log in as ${helper} and run ${JSON.stringify(change.command)}`,
    ...prompts,
    ...input,
    `log in as ${username} with the new password, on a session of its own, and run ${JSON.stringify(verify.command)}`,
    save === null ? "no save: the device keeps it by itself" : `log in as ${helper} and run ${JSON.stringify(save.command)}`,
    `log in as ${username} with the new password once more and run ${JSON.stringify(verify.command)}`,
  ];
}
