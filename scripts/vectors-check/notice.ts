import { decodeEnvelope } from "../../protocol/envelope/index.ts";
import { openNotice } from "../../protocol/notice/index.ts";
import { applyStatements, startTrust } from "../../protocol/trust/index.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Notices of an edge, as a gateway opens them. */
export function check(file: VectorFile): Result[] {
  return runCases(file, runCase);
}

function runCase(vector: VectorCase): void {
  const [root = new Uint8Array(0), ...rest] = (vector["statements"] as string[]).map(
    (one) => new Uint8Array(Buffer.from(one, "hex")),
  );
  const started = startTrust([root], { version: 1, id: decodeEnvelope(root).id });
  const notice = openNotice(decodeEnvelope(bytesOf(vector, "notice")), applyStatements(started, rest).state);
  expectBytes(vector, "accountId", notice.accountId);
  expectBytes(vector, "nodeId", notice.nodeId);
  const { index, leaf, state, zone } = notice;
  const told = { epoch: index.epoch, number: index.number, leafSerial: leaf.serial, leafIndex: leaf.index, state, zone };
  for (const [field, value] of Object.entries(told)) expectSame(vector, field, value);
}
