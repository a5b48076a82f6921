// Writes protocol/vectors/bundle-stream.json: what a receiver does with items at all places, SPEC.md section 11.6.
import { variants, writeVectors } from "./write-vectors.ts";

const id = (byte: number) => new Uint8Array(32).fill(byte);
const nonce = (byte: number) => new Uint8Array(16).fill(byte);
const place = (epoch: number, seq: number, byte: number) => [epoch, seq, id(byte)] as const;

const normal = {
  mode: "NORMAL",
  epoch: 3,
  rootVersion: 2,
  head: place(3, 10, 10),
  nonce: nonce(1),
  pastNonces: [nonce(2)],
  recent: [place(2, 99, 99), place(3, 8, 8), place(3, 10, 10)],
  held: [[...place(3, 12, 12), 272]],
};
const fresh = { ...normal, mode: "FRESH", head: null, recent: [], held: [] };
const rejoined = { ...normal, mode: "REJOINED" };
const quarantine = { ...normal, mode: "QUARANTINE" };
const item = {
  epoch: 3,
  seq: 11,
  prev: id(10),
  kind: "delta",
  rootVersion: 2,
  answers: [] as Uint8Array[],
  id: id(11),
  bodyLength: 272,
};
const snapshot = { ...item, kind: "snapshot" };
const answering = { ...snapshot, answers: [nonce(9), nonce(1)] };

const heldItems = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, n) => [3, 20 + n, id(100 + n), bytes] as const);

const ok = { expect: "ok" };
const cases = variants({ kind: "judge", expect: "ok", receiver: normal, quarantine: false }, [
  { name: "the next delta", item, verdict: "apply" },
  {
    name: "the next delta on another predecessor",
    item: { ...item, prev: id(1) },
    expect: "STREAM_PREV_MISMATCH",
    quarantine: true,
  },
  { name: "the head again", item: { ...item, seq: 10, id: id(10) }, verdict: "duplicate" },
  { name: "another item at the head's place", item: { ...item, seq: 10 }, expect: "STREAM_FORK", quarantine: true },
  {
    name: "another item at a remembered place of an earlier epoch",
    item: { ...item, epoch: 2, seq: 99 },
    expect: "STREAM_FORK",
    quarantine: true,
  },
  { name: "a remembered item of an earlier epoch", item: { ...item, epoch: 2, seq: 99, id: id(99) }, verdict: "duplicate" },
  { name: "an item behind the head that a snapshot left out", item: { ...item, seq: 9, id: id(9) }, verdict: "duplicate" },
  {
    name: "an unknown item of an earlier epoch",
    item: { ...item, epoch: 2, seq: 100, id: id(100) },
    expect: "STREAM_EPOCH_DOWN",
  },
  { name: "an older root", item: { ...item, rootVersion: 1 }, expect: "STREAM_ROOT_DOWN" },
  { name: "a delta behind a gap", item: { ...item, seq: 13, prev: id(12), id: id(13) }, verdict: "hold" },
  { name: "a held delta again", item: { ...item, seq: 12, prev: id(11), id: id(12) }, verdict: "hold" },
  {
    name: "another delta at a held place",
    item: { ...item, seq: 12, prev: id(11), id: id(1) },
    expect: "STREAM_FORK",
    quarantine: true,
  },
  { name: "a snapshot behind a gap", item: { ...snapshot, seq: 30, prev: id(29), id: id(30) }, verdict: "apply" },
  { name: "a snapshot at the next place on another predecessor", item: { ...snapshot, prev: id(1) }, verdict: "apply" },
  { name: "a snapshot that begins the next epoch", item: { ...snapshot, epoch: 4, seq: 1, prev: id(0) }, verdict: "apply" },
  { name: "a delta of the next epoch", item: { ...item, epoch: 4, seq: 2, prev: id(1) }, verdict: "hold" },
  { name: "an older snapshot, though it answers", item: { ...answering, seq: 9, id: id(9) }, verdict: "duplicate" },
  {
    name: "the 64th held item",
    receiver: { ...normal, held: heldItems(63, 1) },
    item: { ...item, seq: 13, prev: id(12) },
    verdict: "hold",
  },
  {
    name: "the 65th held item",
    receiver: { ...normal, held: heldItems(64, 1) },
    item: { ...item, seq: 13, prev: id(12) },
    expect: "STREAM_HELD_FULL",
  },
  {
    name: "16 MiB of held bodies",
    receiver: { ...normal, held: heldItems(1, 16_777_216 - 272) },
    item: { ...item, seq: 13, prev: id(12) },
    verdict: "hold",
  },
  {
    name: "a byte more of held bodies",
    receiver: { ...normal, held: heldItems(1, 16_777_217 - 272) },
    item: { ...item, seq: 13, prev: id(12) },
    expect: "STREAM_HELD_FULL",
  },
  ...[
    { mode: "a fresh node", receiver: fresh },
    { mode: "a rejoined node", receiver: rejoined },
    { mode: "a node in quarantine", receiver: quarantine },
  ].flatMap(({ mode, receiver }) => [
    { name: `${mode}: a snapshot that answers`, receiver, item: answering, verdict: "apply", ...ok },
    { name: `${mode}: a snapshot that answers nothing`, receiver, item: snapshot, expect: "STREAM_NONCE_REQUIRED" },
    {
      name: `${mode}: a snapshot that answers an earlier nonce`,
      receiver,
      item: { ...snapshot, answers: [nonce(2)] },
      expect: "STREAM_NONCE_REQUIRED",
    },
    { name: `${mode}: a delta that answers`, receiver, item: { ...answering, kind: "delta" }, expect: "STREAM_NONCE_REQUIRED" },
    { name: `${mode}: an earlier epoch`, receiver, item: { ...answering, epoch: 2, seq: 100 }, expect: "STREAM_EPOCH_DOWN" },
    { name: `${mode}: an older root`, receiver, item: { ...answering, rootVersion: 1 }, expect: "STREAM_ROOT_DOWN" },
  ]),
  {
    name: "a node in quarantine: an older snapshot that answers",
    receiver: quarantine,
    item: { ...answering, seq: 9, id: id(9) },
    verdict: "duplicate",
  },
]);

writeVectors("bundle-stream", {
  area: "bundle",
  about:
    "SPEC.md section 11.6. Places are [epoch, seq, id], held ones with the body's length; rootVersion of a receiver is that of the last applied item. " +
    "A refusal has quarantine: whether the node enters QUARANTINE.",
  cases,
});
