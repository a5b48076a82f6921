import { sameBytes, toHex } from "../../protocol/base/index.ts";
import type { RootDocument } from "../../protocol/trust/index.ts";
import { draftName, type RootDraft, signedBy } from "./draft.ts";

/** A root for scripts. */
export function rootView(root: RootDocument) {
  return {
    version: root.version,
    vaultEpoch: root.vaultEpoch,
    trustDomain: root.trustDomain,
    threshold: root.threshold,
    rootKeys: root.rootKeys.map(toHex),
  };
}

/** A root for people. */
export function rootLines(root: RootDocument): string[] {
  return [
    `root ${root.version} of ${root.trustDomain}, vault epoch ${root.vaultEpoch}`,
    `${root.threshold} of ${root.rootKeys.length} root keys sign the next one:`,
    ...root.rootKeys.map((key) => `  ${toHex(key)}`),
  ];
}

/** A draft for scripts. */
export function draftView(draft: RootDraft) {
  return { draft: draftName(draft), before: rootView(draft.previous), next: rootView(draft.next), signed: signedBy(draft) };
}

/** A draft for people: what it changes, and who has still to sign. */
export function draftLines(draft: RootDraft): string[] {
  const { previous, next } = draft;
  const has = (list: readonly Uint8Array[], key: Uint8Array) => list.some((each) => sameBytes(each, key));
  const signed = signedBy(draft);
  return [
    `draft ${draftName(draft)}: root ${next.version} of ${next.trustDomain}, after root ${previous.version}`,
    next.vaultEpoch === previous.vaultEpoch
      ? `  vault epoch ${next.vaultEpoch}, as before`
      : `  vault epoch ${previous.vaultEpoch} becomes ${next.vaultEpoch}: what was issued before is void`,
    `  ${next.threshold} of ${next.rootKeys.length} keys, before ${previous.threshold} of ${previous.rootKeys.length}`,
    ...next.rootKeys.map((key) => `  ${has(previous.rootKeys, key) ? "stays  " : "new    "} ${toHex(key)}`),
    ...previous.rootKeys.filter((key) => !has(next.rootKeys, key)).map((key) => `  removed ${toHex(key)}`),
    `  signed by ${signed.old} of ${previous.threshold} old and ${signed.next} of ${next.threshold} new keys that it takes`,
  ];
}
