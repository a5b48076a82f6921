import t from "tap";
import { toHex } from "../../protocol/base/index.ts";
import { vaultFeed } from "../../vault/audit/index.ts";
import { forward, MemoryCollector, passUntil } from "../agent/forward/rig.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { VaultRig } from "./vault-rig.ts";

t.test("the vault's log is forwarded from where it stopped, and gaps are leaves of it", async (t) => {
  const rig = await VaultRig.make(t);
  const { core, audit } = rig.vault;
  const { name } = audit.asExport(toHex(core.vaultId));
  const feed = vaultFeed(core.store, audit, name);
  const [collector, clock] = [new MemoryCollector(), new ManualClock()];
  const first = forward({ feed, collector, clock });
  const size = await feed.size();
  t.ok(size > 0);
  t.ok(await passUntil(clock, () => first.status().sent === size));
  await first.close();
  t.equal(await feed.position("siem"), size);
  t.equal(await feed.position("another"), null);

  await feed.savePast({ target: "siem", from: size, count: 5, reason: "archived" });
  t.equal(await feed.position("siem"), size + 5);
  await feed.savePosition("siem", size);
  const second = forward({ feed, collector, clock });
  t.ok(await passUntil(clock, () => second.status().next === size + 1));
  t.same(
    collector.lines.map(({ index }) => index),
    Array.from({ length: size + 1 }, (_, index) => index),
  );
  t.match(collector.lines.at(-1)?.leaf, { action: "forward.gap", details: { from: size, count: 5, reason: "archived" } });
  await second.close();
});
