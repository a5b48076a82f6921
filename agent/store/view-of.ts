import type { Store, View } from "./store.ts";

/** A view whose every call reads what the store holds then: for reading in parts, between which others may write. */
export function viewOf(store: Store): View {
  return {
    get: (table, id) => store.read((view) => view.get(table, id)),
    scan: (table, options) => store.read((view) => view.scan(table, options)),
    count: (table) => store.read((view) => view.count(table)),
  };
}
