import t from "tap";
import { DeviceSummary } from "../../cli/audit/device-summary.ts";
import { summaryCsv } from "../../cli/audit/summary-csv.ts";
import { type SummaryHead, summaryHtml } from "../../cli/audit/summary-page.ts";
import { type AuditEvent, encodeLeaf, leafOf } from "../../protocol/audit/index.ts";

const node = "a".repeat(32);
const self = { kind: "node", id: node } as const;

function summaryOf(events: readonly AuditEvent[]): DeviceSummary {
  const summary = new DeviceSummary();
  for (const [index, event] of events.entries()) {
    const time = [1_790_000_000_000 + index * 1000, index === 0 ? null : 1_790_000_001_000 + index * 1000] as const;
    summary.add(encodeLeaf(leafOf(event, { log: 0, index, time, wallMs: 0, boot: "b", sinceBootMs: 1, node })));
  }
  return summary;
}

function head(nodeName: string): SummaryHead {
  const grant = {
    folder: "/nowhere",
    trustDomain: "plant.example",
    node,
    nodeName,
    role: "edge",
    serial: 0,
    vaultId: "00",
    from: 0,
    size: 10,
    checkpoint: "",
    time: [0, null] as const,
    anchor: null,
    cosigned: [],
  };
  return { grant, carried: `by ${nodeName}`, at: "2026-11-22T10:00:00.000Z" };
}

const account = (id: string) => ({ kind: "account", id }) as const;

/** Text that would leave its place in a page, a spreadsheet or a terminal, or turn what stands beside it. */
const hostile = [
  "<script>alert(1)</script>",
  "\"><img src=x onerror='x'>",
  "&lt;b&gt;",
  "</title></style>",
  "\u202egnp.exe",
  "\u0000\u0007\u001b[2J\r\n",
  "=cmd|'/c calc'!A1",
  "javascript:x",
];

/** Controls, and formats such as the ones that turn the direction of text. */
const steering = /[\p{Cc}\p{Cf}]/u;

t.test("no name can leave its place in the page, hide, or turn what stands beside it", (t) => {
  for (const text of hostile) {
    const summary = summaryOf([
      {
        action: "rotation.rejected",
        actor: { kind: "operator", id: text },
        subject: account(`z/${text}/${text}`),
        outcome: "failed",
      },
      {
        action: "order.accept",
        actor: self,
        subject: account(`z/${text}/${text}`),
        outcome: "ok",
        details: { operator: text },
      },
      { action: "alarm.raise", actor: self, subject: self, outcome: "failed", code: "X", details: { reason: text } },
      { action: "device.hold", actor: self, subject: { kind: "device", id: text }, outcome: "ok", details: { reason: text } },
      { action: "audit.gap", actor: self, subject: self, outcome: "failed", details: { class: text, reason: text, count: 1 } },
    ]);
    const page = summaryHtml(summary, head(text));
    const tags = [...page.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, name]) => name?.toLowerCase() ?? "");
    t.same(
      tags.filter((name) => ["script", "img", "link", "iframe", "form", "b2"].includes(name)),
      [],
      text,
    );
    t.equal((page.match(/<title>/g) ?? []).length + (page.match(/<\/title>/g) ?? []).length, 2);
    t.equal((page.match(/<\/style>/g) ?? []).length, 1);
    t.notMatch(page.replaceAll("\n", ""), steering, "nothing that steers");
    const marks = (page.match(/<[^>]*>/g) ?? []).join("");
    t.notMatch(marks, /\son[a-z]+=/i, "no handler");
    t.notMatch(marks, /(href|src)=(?!"#a\d+")/i, "nothing is fetched, and links stay in the page");
    const csv = summaryCsv(summary);
    t.notMatch(csv, /(^|,|\n)"?[=+\-@]/, "no cell is a formula");
    t.notMatch(csv.replaceAll("\r\n", ""), steering);
    t.equal(csv.split("\r\n").length, 4, "a line an account, the head and the end");
  }
  t.end();
});

t.test("the page says per account what was proven last, who asked for it, and whether the password is known", (t) => {
  const subject = account("line-4/plc-1/admin");
  const order = (operator: string): AuditEvent => ({
    action: "order.accept",
    actor: self,
    subject,
    outcome: "ok",
    details: { operator },
  });
  const rotation = (action: "rotation.verified" | "rotation.proven" | "rotation.unknown", number: number): AuditEvent => ({
    action,
    actor: self,
    subject,
    outcome: action === "rotation.unknown" ? "failed" : "ok",
    details: { epoch: 1, number },
  });
  const known = summaryOf([order("Ana"), rotation("rotation.unknown", 1), order("Kim"), rotation("rotation.verified", 2)]);
  t.match(known.accounts(), [
    {
      changes: 1,
      unknownSince: null,
      exceptionCount: 1,
      lastProven: { version: "1.2", index: 3 },
      approved: { by: "Kim", index: 2 },
    },
  ]);
  t.match(
    summaryHtml(known, head("edge")),
    /badge good">proven.*version <span class="n">1\.2<\/span>, entry <span class="n">3</s,
  );
  const factory = summaryOf([rotation("rotation.proven", 0), rotation("rotation.verified", 1), rotation("rotation.proven", 1)]);
  t.match(factory.accounts(), [{ changes: 1, lastProven: { version: "1.1", index: 2 } }], "a proof is no change");
  const staged = (details: { orderId?: string }): AuditEvent => ({
    action: "rotation.staged",
    actor: self,
    subject,
    outcome: "ok",
    details: { epoch: 1, number: 1, ...details },
  });
  t.match(summaryOf([staged({ orderId: "4af3" })]).accounts(), [{ approved: { by: "order 4af3", index: 0 } }]);
  t.match(summaryOf([staged({ orderId: "4af3" }), staged({})]).accounts(), [{ approved: null }], "the next one had no order");
  const lost = summaryOf([rotation("rotation.verified", 2), rotation("rotation.unknown", 3)]);
  t.match(lost.accounts(), [{ unknownSince: 1 }]);
  t.match(summaryHtml(lost, head("edge")), /Needs a look.*the password is not known any more.*badge bad">not known/s);
  t.match(summaryCsv(lost), /line-4\/plc-1,admin,1,.*,1,0,0\r\n$/);
  t.end();
});

t.test("reads are counted, and what a refused caller made up is no account", (t) => {
  const read = (id: string, outcome: "ok" | "denied", count: number): AuditEvent => ({
    action: "credential.read",
    actor: { kind: "application", id: "hmi" },
    subject: account(id),
    outcome,
    details: { count },
  });
  const summary = summaryOf([read("a/b/c", "ok", 1500), read("a/b/c", "denied", 2), read("made/up/name", "denied", 7)]);
  t.match(summary.accounts(), [{ device: "a/b", account: "c", reads: 1500, refused: 2 }]);
  t.equal(summary.accounts().length, 1);
  t.match(summary.notes, { reads: 1500, refusedReads: 9 });
  t.match(summaryHtml(summary, head("edge")), /1\u202f500/);
  t.match(summaryHtml(summary, head("edge")), /<li>9 reads refused, the last to <bdi>application hmi at made\/up\/name/);
  t.end();
});

t.test("gaps, crashes, archives and who acted stand in the page, and its size does not grow with them", (t) => {
  const gap: AuditEvent = {
    action: "audit.gap",
    actor: self,
    subject: self,
    outcome: "failed",
    details: { class: "reads", count: 3, reason: "the disk was nearly full" },
  };
  const start = (lastStop: string): AuditEvent => ({
    action: "node.start",
    actor: self,
    subject: self,
    outcome: "ok",
    details: { lastStop },
  });
  const archived: AuditEvent = {
    action: "audit.archive",
    actor: { kind: "operator", id: "kim" },
    subject: { kind: "media", id: "S1" },
    outcome: "ok",
    details: { from: 0, until: 512, mediaId: "S1" },
  };
  const summary = summaryOf([start("clean"), start("crash"), archived, ...Array.from({ length: 100 }, () => gap)]);
  t.match(summary.notes, { starts: 2, crashes: 1, missing: 300, archivedBefore: 512, count: 102 });
  const page = summaryHtml(summary, head("edge"));
  t.match(page, /The newest 40 of 102/);
  t.match(page, /3 entries were not written \(reads\)/);
  t.match(page, /operator kim/);
  const untold = Object.assign(summaryOf([]), { first: ">=1970-01-01T00:00:00.012Z" });
  t.match(summaryHtml(untold, head("edge")), /not known to none/);
  const fresh = summaryHtml(summaryOf([]), head("edge"));
  t.match(fresh, /no exception and no refused read stands in these entries.*concern no device.*Nothing out of the ordinary/s);
  t.end();
});
