import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { MediaRig } from "../cli/media-rig.ts";
import { canMount, FatMedium, fatPeer } from "./fat-medium.ts";
import { peerSuite } from "./peer-suite.ts";

t.setTimeout(60_000);
const path = "plant/pump/operator";

void peerSuite(t, fatPeer, async (suite) => {
  await suite.test(
    "a FAT stick carries changes down and reports up, written over, taken out and plugged in again",
    async (t) => {
      if (!canMount()) return t.comment("no FUSE on this machine: nothing was mounted");
      const rig = await MediaRig.make(t);
      const edge = await rig.edge("edge-1", "plant");
      await rig.vault.addPump("plant");
      const medium = await FatMedium.make(rig.stick());
      t.teardown(() => medium.remove());
      suite.stated("FAT32 by FUSE");
      const { mount } = medium;
      for (const value of ["First-live1", "Second-live", "Third-live1"]) {
        await rig.vault.setPassword(path, value);
        const written = await rig.atVault.write(mount);
        t.ok(written.files.length > 0);
        await medium.takeOut();
        await medium.plugIn();
        t.match(
          (await edge.read(mount)).filter(({ writer }) => writer === rig.atVault.id),
          [{ refused: null, refusals: [] }],
        );
        const live = edge.core.credentials.find(path)?.openFields() ?? [];
        t.same(
          live.map((field) => Buffer.from(field.value).toString()),
          [value],
        );
        await edge.write(mount);
        await medium.takeOut();
        await medium.plugIn();
        t.match(
          (await rig.atVault.read(mount)).filter(({ writer }) => writer === edge.id),
          [{ refused: null, refusals: [] }],
        );
      }
      const left = readdirSync(mount, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".new"));
      t.same(left, [], "nothing unfinished is left");
      t.equal(readdirSync(join(mount, "TIDEGATE")).length, 3, "a folder for each writer, and what the finder reads");
    },
  );

  await suite.test("a FAT stick that is full is no whole stick, and the next one completes", async (t) => {
    if (!canMount()) return t.comment("no FUSE on this machine: nothing was mounted");
    const rig = await MediaRig.make(t);
    const edge = await rig.edge("edge-1", "plant");
    await rig.vault.addPump("plant");
    await rig.vault.setPassword(path, "First-live1");
    const medium = await FatMedium.make(rig.stick());
    t.teardown(() => medium.remove());
    const filler = join(medium.mount, "FILM.MP4");
    try {
      for (let at = 0; at < 64; at += 1) writeFileSync(filler, Buffer.alloc(1024 * 1024), { flag: "a" });
    } catch {
      // Full, as it shall be.
    }
    await t.rejects(rig.atVault.write(medium.mount));
    const read = await edge.read(medium.mount).catch(() => []);
    t.notOk(read.some(({ applied }) => applied > 0));
    const next = rig.stick();
    await rig.atVault.write(next);
    t.match(await edge.read(next), [{ refused: null, refusals: [] }]);
  });
});
