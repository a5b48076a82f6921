import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import { type Content, encodeContent } from "../../protocol/content/index.ts";
import type { RegistryContext } from "../registry/index.ts";

/** An entry that says what holds now. Only values are told apart by a version of their own. */
export function plainEntry(context: Pick<RegistryContext, "vaultEpoch">, id: Uint8Array, content: Content): DesiredEntry {
  return { ...encodeContent(content), id, index: { epoch: context.vaultEpoch, number: 0 }, authority: null };
}
