import t from "tap";
import { sameBytes } from "../../protocol/base/index.ts";
import { bundleKind, type Judge, type Judgement, judge } from "../../protocol/bundle/index.ts";
import { streamChecks } from "../protocol/bundle/stream-checks.ts";

/** The real judge, broken in one place; the named check must notice. */
interface Planted {
  readonly bug: string;
  readonly judge: Judge;
  readonly caughtBy: string;
}

const apply: Judgement = { verdict: "apply", code: null };

/** The real judgement, but `instead` where it refuses with `code`. */
function without(code: string, instead: Judgement = apply): Judge {
  return (receiver, header, id) => {
    const judgement = judge(receiver, header, id);
    return judgement.code === code ? instead : judgement;
  };
}

const planted: readonly Planted[] = [
  {
    bug: "prev ignored",
    judge: without("STREAM_PREV_MISMATCH"),
    caughtBy: "a delta that follows on another predecessor is refused",
  },
  {
    bug: "a fresh node takes any snapshot",
    judge: (receiver, header, id) =>
      receiver.mode === "FRESH" && header.kind === bundleKind.snapshot ? apply : judge(receiver, header, id),
    caughtBy: "an old snapshot fed to a fresh edge is refused",
  },
  {
    bug: "an earlier nonce counts as the current one",
    judge: (receiver, header, id) => {
      const past = receiver.pastNonces.some((nonce) => header.answers.some((answer) => sameBytes(answer, nonce)));
      const judgement = judge(receiver, header, id);
      return past && judgement.code === "STREAM_NONCE_REQUIRED" && header.kind === bundleKind.snapshot ? apply : judgement;
    },
    caughtBy: "an edge in quarantine applies only what was made after it asked",
  },
  {
    bug: "a quarantined node follows deltas",
    judge: (receiver, header, id) =>
      judge(receiver.mode === "QUARANTINE" ? { ...receiver, mode: "NORMAL" } : receiver, header, id),
    caughtBy: "an edge in quarantine applies only what was made after it asked",
  },
  {
    bug: "a nonce-answering snapshot may be older than the head",
    judge: (receiver, header, id) => {
      const answers = header.answers.some((answer) => sameBytes(answer, receiver.nonce));
      return answers && header.kind === bundleKind.snapshot && receiver.recent.length === 0
        ? apply
        : judge(receiver, header, id);
    },
    caughtBy: "a snapshot that is not above the head never applies, whatever it answers",
  },
  {
    bug: "any snapshot applies, however old",
    judge: (receiver, header, id) => {
      const judgement = judge(receiver, header, id);
      return judgement.verdict === "duplicate" && header.kind === bundleKind.snapshot ? apply : judgement;
    },
    caughtBy: "a snapshot that is not above the head never applies, whatever it answers",
  },
  {
    bug: "a repeated delta is applied again",
    judge: (receiver, header, id) => {
      const judgement = judge(receiver, header, id);
      return judgement.verdict === "duplicate" ? apply : judgement;
    },
    caughtBy: "a gateway that replays a bundle changes nothing",
  },
  {
    bug: "ids are not compared, so a fork looks like a repetition",
    judge: without("STREAM_FORK", { verdict: "duplicate", code: null }),
    caughtBy: "two items under one number are a fork, applied or held",
  },
  {
    bug: "held items are not compared",
    judge: (receiver, header, id) => judge({ ...receiver, held: [] }, header, id),
    caughtBy: "two items under one number are a fork, applied or held",
  },
  {
    bug: "a gap is jumped",
    judge: (receiver, header, id) => {
      const judgement = judge(receiver, header, id);
      return judgement.verdict === "hold" ? apply : judgement;
    },
    caughtBy: "a gateway that drops a bundle is noticed, and a snapshot heals it",
  },
  {
    bug: "a gap is refused, so that an overtaking delta is lost",
    judge: (receiver, header, id) => {
      const judgement = judge(receiver, header, id);
      return judgement.verdict === "hold" ? { verdict: "refuse", code: "STREAM_PREV_MISMATCH", quarantine: false } : judgement;
    },
    caughtBy: "a gateway that reorders bundles only delays them",
  },
  {
    bug: "what waits ahead of a gap is not bounded",
    judge: without("STREAM_HELD_FULL", { verdict: "hold", code: null }),
    caughtBy: "a gateway that drops bundles for long makes the edge ask for a snapshot",
  },
  {
    bug: "an older epoch is taken",
    judge: (receiver, header, id) => judge({ ...receiver, epoch: 0 }, header, id),
    caughtBy: "the vault epoch never goes down, and a new one begins with a snapshot",
  },
  {
    bug: "an older root is taken",
    judge: without("STREAM_ROOT_DOWN"),
    caughtBy: "the root version that items are issued under never goes down",
  },
  {
    bug: "a fork does not quarantine",
    judge: (receiver, header, id) => {
      const judgement = judge(receiver, header, id);
      return judgement.verdict === "refuse" ? { ...judgement, quarantine: false } : judgement;
    },
    caughtBy: "a report stream is judged by the same rules",
  },
];

/** What the check says of a judge; one that crashes on the way has noticed too. */
function outcome(name: string, broken: Judge): string | null {
  const check = streamChecks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check named: ${name}`);
  try {
    return check.run(broken);
  } catch (error) {
    return `crashed: ${String(error)}`;
  }
}

for (const { bug, judge: broken, caughtBy } of planted) {
  t.test(`planted: ${bug}`, async (t) => {
    t.type(outcome(caughtBy, broken), "string", caughtBy);
    t.equal(outcome(caughtBy, judge), null, "the real judge passes the same check");
  });
}
