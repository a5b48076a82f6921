import { utf8 } from "../../protocol/base/index.ts";
import type { AuditLog } from "../audit/index.ts";
import { changedKeys, configurationText } from "../config/index.ts";
import type { Store } from "../store/index.ts";

const table = "configuration";
const row = utf8("last-start");

/** Says in the log which keys of the configuration are others than at the last start; the values stay out of it. */
export function noteConfiguration(store: Store, audit: AuditLog, config: object): void {
  const now = configurationText(config);
  const stored = store.read((view) => view.get(table, row));
  const before = stored === null ? null : Buffer.from(stored).toString("utf8");
  if (before === now) return;
  store.transaction((tx) => {
    tx.put(table, row, utf8(now));
    if (before === null) return;
    audit.append(tx, {
      action: "configuration.change",
      actor: { kind: "operator", id: "local" },
      subject: { kind: "configuration", id: "tidegate.yaml" },
      outcome: "ok",
      details: { field: changedKeys(before, now) },
    });
  });
}
