import t from "tap";
import type { Entry } from "../../../protocol/bundle/index.ts";
import { isFork, viewContent } from "../../../protocol/content/index.ts";

import { account, application, at, credential, device, entryOf, hash, id, order, rawEntry } from "./samples.ts";

t.test("one entry that cannot be used is inert, and the others work", async (t) => {
  const view = viewContent([
    entryOf(device, id(1)),
    rawEntry(99, Uint8Array.of(1)),
    rawEntry(2, Uint8Array.of(0xff), id(8)),
    entryOf(account, id(2)),
    entryOf(credential, id(20)),
    entryOf({ ...order, action: "verify" }, id(30), 1, false),
    entryOf({ ...credential, accountId: id(77) }, id(21)),
    entryOf({ ...order, accountId: id(77) }, id(31)),
  ]);
  t.same(
    view.inert.map(({ entry, code }) => [entry.type, code]),
    [
      [99, "CONTENT_UNKNOWN_TYPE"],
      [2, "CONTENT_MALFORMED"],
      [5, "CONTENT_MALFORMED"],
      [5, "CONTENT_DANGLING"],
      [3, "CONTENT_DANGLING"],
    ],
  );
  t.equal(view.devices.size, 1);
  t.equal(view.accounts.size, 1);
  t.same(
    [...view.credentials.values()].flat().map(({ content }) => content.index),
    [at(4)],
  );
  t.equal(view.orders.size, 0);
});

t.test("tombstones beat values up to their version, and the newest version comes first", async (t) => {
  const versions = [3, 5, 4].map((n) => entryOf({ ...credential, index: at(n), fingerprint: hash(n) }, id(20 + n), n));
  const newEpoch = entryOf({ ...credential, index: at(1, 2), fingerprint: hash(9) }, id(29));
  const numbers = (entries: Entry[]) =>
    [...viewContent(entries).credentials.values()].flat().map(({ content }) => [content.index.epoch, content.index.number]);
  const base = [entryOf(account, id(2), 3), ...versions];
  const tombstone = (type: number, target: Uint8Array, upTo: { epoch: number; number: number }, own = 60) =>
    entryOf({ kind: "tombstone", type, id: target, upTo }, id(own));
  t.same(numbers([...base, newEpoch]), [
    [2, 1],
    [1, 5],
    [1, 4],
    [1, 3],
  ]);
  t.same(numbers([...base, tombstone(3, id(2), at(3))]), [
    [1, 5],
    [1, 4],
  ]);
  t.same(numbers([...base, tombstone(3, id(2), at(4))]), [[1, 5]]);
  t.same(numbers([...base, tombstone(3, id(2), at(5))]), []);
  t.same(numbers([...base, newEpoch, tombstone(3, id(2), at(99))]), [[2, 1]]);
  t.same(numbers([...base, tombstone(3, id(2), at(4)), tombstone(3, id(2), at(3), 61)]), [[1, 5]], "the higher of two counts");
  t.same(
    numbers([...base, tombstone(3, id(3), at(9))]),
    [
      [1, 5],
      [1, 4],
      [1, 3],
    ],
    "another account's",
  );

  const gone = viewContent([...base, tombstone(2, id(2), at(3)), entryOf(order, id(30))]);
  t.same([gone.accounts.size, gone.credentials.size, gone.orders.size, gone.inert.length], [0, 0, 0, 0]);
  t.equal(gone.buried.length, 5, "what hung on the account goes with it");
  t.equal(viewContent([...base, tombstone(2, id(2), at(2))]).accounts.size, 1, "a newer version of the account stays");
  const app = entryOf(application, id(40), 7);
  t.equal(viewContent([app, tombstone(4, id(40), at(7))]).applications.size, 0);
  t.equal(viewContent([app, tombstone(4, id(40), at(6))]).applications.size, 1);
  const self = viewContent([tombstone(3, id(2), at(4)), tombstone(6, id(60), at(9), 61)]);
  t.equal(self.tombstones.size, 2, "a tombstone is not ended by another");
});

t.test("two values of one version are a fork, and neither is used", async (t) => {
  const one = entryOf(credential, id(20));
  const other = entryOf({ ...credential, fingerprint: hash(8) }, id(21));
  const older = entryOf({ ...credential, index: at(3) }, id(22));
  const copy = entryOf({ ...credential, role: "current" }, id(23));
  const view = viewContent([entryOf(account, id(2)), one, other, older, copy]);
  t.same(
    view.inert.map(({ entry, code }) => [entry.id[0], code]),
    [
      [20, "CONTENT_VALUE_FORK"],
      [21, "CONTENT_VALUE_FORK"],
      [23, "CONTENT_VALUE_FORK"],
    ],
  );
  t.same(
    [...view.credentials.values()].flat().map(({ content }) => content.index),
    [at(3)],
  );
  t.ok(isFork(credential, { ...credential, fingerprint: hash(8) }));
  t.notOk(isFork(credential, { ...credential, index: at(5), fingerprint: hash(8) }));
  t.notOk(isFork(credential, { ...credential, accountId: id(3), fingerprint: hash(8) }));
});
