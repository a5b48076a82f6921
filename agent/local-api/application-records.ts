import { toHex } from "../../protocol/base/index.ts";
import type { ContentView } from "../../protocol/content/index.ts";
import type { ApplicationRecord } from "./contracts.ts";

/** The applications that may read here by token. One without is known by its socket's peer, which a later version asks for. */
export function applicationRecords(view: ContentView): ApplicationRecord[] {
  const leases = [...view.leases.values()];
  return [...view.applications].flatMap(([id, { content }]) => {
    const { name, tokenHash, grants, person, disabled } = content;
    if (disabled || tokenHash === null) return [];
    const own = leases.flatMap(({ entry, content: lease }) =>
      toHex(lease.applicationId) === id && entry.authority !== null
        ? [{ pattern: lease.pattern, window: entry.authority }]
        : [],
    );
    return [{ id, name, tokenHash, grants, leases: own, person }];
  });
}
