import { openJoinRequest, parseEnrolmentCode } from "../../protocol/join/index.ts";
import { bytesOf, expectBytes, expectSame, type Result, runCases, type VectorCase, type VectorFile } from "./vector-file.ts";

/** Enrolment codes and join requests. */
export function check(file: VectorFile): Result[] {
  return runCases(file, (vector) => (vector["kind"] === "code" ? checkCode(vector) : checkRequest(vector)));
}

function checkCode(vector: VectorCase): void {
  const code = parseEnrolmentCode(String(vector["text"]));
  expectBytes(vector, "codeId", code.codeId);
  code.secret.use((secret) => expectBytes(vector, "secret", secret));
  expectBytes(vector, "rootId", code.rootId);
  for (const field of ["rootVersion", "role", "address"] as const) expectSame(vector, field, code[field]);
  expectSame(vector, "nodeName", code.name);
}

function checkRequest(vector: VectorCase): void {
  const request = openJoinRequest(bytesOf(vector, "request"), parseEnrolmentCode(String(vector["code"])));
  expectBytes(vector, "nodeId", request.nodeId);
  expectBytes(vector, "nonce", request.nonce);
  expectSame(vector, "nodeName", request.name);
}
