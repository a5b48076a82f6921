import { toHex } from "../../protocol/base/index.ts";
import type { ExportSource } from "./export-routes.ts";
import type { MemberParts } from "./member-post.ts";

/** The log of a gateway or an edge, for exports. */
export function memberExport(role: "gateway" | "edge", { node, audit, store }: MemberParts): ExportSource {
  return {
    name: audit.name,
    size: () => audit.head().size,
    files: () => audit.files(),
    time: () => audit.time(),
    about: () => ({ nodeName: node.member().statement.name, role, vaultId: toHex(node.vaultId) }),
    seal: (events) => audit.sealEpoch(events),
    anchor: () => audit.acknowledged(),
    proof: (from, size) => audit.proofBetween(from, size),
    cosigned() {
      const note = audit.cosigned();
      return note === null ? [] : [{ name: audit.name.node, note }];
    },
    archive: audit.archive,
    append: (event) => store.transaction((tx) => void audit.append(tx, event)),
  };
}
