import { maxDetailLength } from "../../protocol/audit/index.ts";
import { utf8 } from "../../protocol/base/index.ts";
import type { AuditLog } from "../audit/index.ts";
import type { Store } from "../store/index.ts";

const table = "configuration";
const row = utf8("last-start");

/** Says in the log which keys of the configuration are others than at the last start; the values stay out of it. */
export function noteConfiguration(store: Store, audit: AuditLog, config: object): void {
  const now = JSON.stringify(Object.fromEntries(flat(config, "")));
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
      details: { field: changedKeys(before, now).join(" ").slice(0, maxDetailLength) },
    });
  });
}

function changedKeys(before: string, now: string): string[] {
  const [old, fresh] = [before, now].map((text) => JSON.parse(text) as Record<string, unknown>);
  const keys = new Set([...Object.keys(old ?? {}), ...Object.keys(fresh ?? {})]);
  return [...keys].filter((key) => JSON.stringify(old?.[key]) !== JSON.stringify(fresh?.[key])).sort();
}

/** Every scalar under its dotted key. */
function flat(value: unknown, key: string): [string, unknown][] {
  if (typeof value !== "object" || value === null) return [[key, value ?? null]];
  return Object.entries(value).flatMap(([name, each]) => flat(each, key === "" ? name : `${key}.${name}`));
}
