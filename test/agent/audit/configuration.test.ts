import t from "tap";
import { noteConfiguration } from "../../../agent/node/note-configuration.ts";
import { decodeLeaf } from "../../../protocol/audit/index.ts";
import { MemoryStore } from "../../support/memory-store.ts";
import { openRig } from "./rig.ts";

t.test(
  "a configuration that is another one than at the last start is a leaf with the keys and without the values",
  async (t) => {
    const store = new MemoryStore();
    const { log } = openRig({ store });
    const size = () => log.head().size;
    const config = { staleAfterS: 60, api: { loopback: null as null | { port: number } } };
    noteConfiguration(store, log, config);
    noteConfiguration(store, log, config);
    t.equal(size(), 1, "nothing changed");
    noteConfiguration(store, log, { ...config, staleAfterS: 61, api: { loopback: { port: 7446 } } });
    const leaf = decodeLeaf(log.leaves(1, 1)[0] as Uint8Array);
    t.match(leaf, { action: "configuration.change", details: { field: "api.loopback api.loopback.port staleAfterS" } });
    t.notMatch(JSON.stringify(leaf.details), /7446|61/);
  },
);
