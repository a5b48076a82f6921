import { announce } from "./announce.ts";
import type { EngineOptions } from "./engine-options.ts";
import type { GroupRounds } from "./group-rounds.ts";
import type { SharedCommits } from "./shared-commits.ts";
import { type PlannedStep, takeStep, writeStep } from "./write-step.ts";

interface Parts {
  readonly options: EngineOptions;
  readonly groups: GroupRounds;
  readonly commits: SharedCommits;
}

/** Commits one step of an account's machine with its group's round, between its two failpoints; then everybody is told. Throws STORE_*. */
export function commitStep(planned: PlannedStep, { options, groups, commits }: Parts): void {
  const { seams, store, books } = options;
  const { account, name, effects } = planned;
  const before = account.record;
  seams.failpoint(name.replace(".", ".before-"));
  const written = store.transaction((tx) => ({
    record: writeStep(tx, books, planned),
    round: groups.record(tx, account, effects),
  }));
  takeStep(planned, written.record);
  written.round();
  commits.after(() => seams.failpoint(name.replace(".", ".after-")));
  announce(account, before, groups.others(account), options);
}
