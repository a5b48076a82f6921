import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { createAdminServer } from "../../agent/admin/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { openSealKey } from "../../agent/seal-key/index.ts";
import type { Frame } from "../../cli/frame/index.ts";
import { createOutput } from "../../cli/frame/output.ts";
import { giveUpZone, raiseEpoch, recoverEscrow } from "../../cli/recover/index.ts";
import { toHex } from "../../protocol/base/index.ts";
import { encodeFact } from "../../protocol/content/index.ts";
import { importSealingPublicKey } from "../../protocol/keys/index.ts";
import { type CandidateIndex, encodeEscrowList } from "../../protocol/rotation/index.ts";
import { sealEscrow } from "../../protocol/seal/index.ts";
import { newestRoot } from "../../protocol/trust/index.ts";
import { vaultRoutes } from "../../vault/admin/index.ts";
import { type TestNode, VaultRig } from "../vault/vault-rig.ts";

type Test = Parameters<typeof VaultRig.make>[0];

const path = "plant/pump/operator";
const enrolment = { name: "edge-1", role: "edge", zone: "plant", address: "127.0.0.1:7444" };

/** A vault with one account and its edge, which escrows what it holds as soon as the root's epoch is above the first. */
class RestoreWorld {
  readonly rig: VaultRig;
  edge: TestNode | null = null;
  /** What the edge last proved. */
  current: CandidateIndex = [1, 0];
  readonly #frame: Frame;
  readonly #test: Test;
  #server: { close(): Promise<void> } | null = null;

  private constructor(t: Test, rig: VaultRig) {
    this.#test = t;
    this.rig = rig;
    const nowhere = { write: () => {} };
    this.#frame = {
      output: createOutput(false, { stdout: nowhere, stderr: nowhere }),
      environment: {},
      isTerminal: false,
      colours: false,
      secret: () => Promise.reject(new Error("asked for a secret")),
      progress: () => ({ update: () => {}, end: () => {} }),
      exit: () => {},
      untilStopped: () => new Promise(() => {}),
    };
  }

  static async make(t: Test): Promise<RestoreWorld> {
    const world = new RestoreWorld(t, await VaultRig.make(t));
    world.edge = await world.rig.join(t, enrolment, { escrow: (_view, context) => world.#escrow(context) });
    await world.rig.addPump("plant");
    await world.rig.setPassword(path, "First-live1");
    await world.edge.exchange();
    return world;
  }

  get node(): TestNode {
    if (this.edge === null) throw new Error("no edge");
    return this.edge;
  }

  /** The vault's store as a backup would hold it. */
  async backup(): Promise<void> {
    await this.rig.vault.close();
    copyFileSync(join(this.rig.folder, "node.db"), join(this.rig.folder, "..", "backup.db"));
    await this.rig.reopen();
  }

  /** Puts the backup back behind the vault's back, and starts it. */
  async putBack(): Promise<void> {
    await this.rig.vault.close();
    for (const tail of ["-wal", "-shm"]) rmSync(join(this.rig.folder, `node.db${tail}`), { force: true });
    copyFileSync(join(this.rig.folder, "..", "backup.db"), join(this.rig.folder, "node.db"));
    await this.rig.reopen();
  }

  /** The edge reports that it rotated to version `number`. */
  async rotated(number: number, leaf: number): Promise<void> {
    const { fingerprint } = this.node.version(path, number);
    const place = { accountId: this.node.accountId(path), index: { epoch: 1, number }, fingerprint };
    this.current = [1, number];
    const leafPlace = { serial: 0, index: leaf };
    this.node.report([
      encodeFact({
        kind: "rotation",
        ...place,
        state: "VERIFIED",
        outcome: "verified",
        at: { lo: 1, hi: null },
        leaf: leafPlace,
      }),
    ]);
    await this.node.exchange();
  }

  async raise(): Promise<void> {
    await this.#serving(async (folder) => raiseEpoch(this.#frame, folder, await this.key("root")));
  }

  async learn(): Promise<void> {
    await this.#serving(async (folder) => recoverEscrow(this.#frame, folder, await this.key("recovery")));
  }

  async giveUp(): Promise<void> {
    await this.#serving((folder) => giveUpZone(this.#frame, folder, "plant"));
  }

  key(name: "root" | "recovery") {
    const unlock = { kind: "key-file", path: join(this.rig.folder, "..", "key") } as const;
    return openSealKey({ path: join(this.rig.folder, "keys", `${name}.sealed`), unlock });
  }

  /** The admin socket of the vault as it is now; opened once, since a client keeps its connection. */
  async #serving(work: (folder: string) => Promise<void>): Promise<void> {
    if (this.#server === null) {
      const routes = vaultRoutes({
        core: this.rig.core,
        wake: () => {},
        connected: () => false,
        vaultAddress: () => "127.0.0.1:1",
      });
      const log = createLog({ level: "silent", node: "vault" });
      const server = await createAdminServer({ socketPath: join(this.rig.folder, "admin.sock"), routes, log });
      this.#test.teardown(() => server.close());
      this.#server = server;
    }
    await work(this.rig.folder);
  }

  #escrow(reportContext: Uint8Array): Uint8Array | null {
    const trust = this.edge?.node.trust();
    if (trust === undefined || newestRoot(trust).document.vaultEpoch === 1) return null;
    const accountId = this.node.accountId(path);
    const plaintext = this.node.node.withState((view) =>
      encodeEscrowList([
        {
          accountId,
          current: this.current,
          values: (view.credentials.get(toHex(accountId)) ?? []).map(({ content }) => ({
            index: [content.index.epoch, content.index.number],
            fingerprint: content.fingerprint,
            fields: content.fields,
          })),
        },
      ]),
    );
    const recipient = importSealingPublicKey(newestRoot(trust).document.recoveryKey);
    const { vaultId, nodeId } = this.node.node;
    return sealEscrow({ vaultId, nodeId, reportContext, recipient, plaintext });
  }

  async history(): Promise<string[]> {
    const { versions } = await this.rig.call("GET", `/v1/credentials/history?path=${path}`);
    return (versions as { version: string; status: string }[]).map(({ version, status }) => `${version} ${status}`);
  }

  async state(): Promise<unknown> {
    const nodes = (await this.rig.call("GET", "/v1/nodes")) as unknown as { name: string; state: string }[];
    return nodes.find(({ name }) => name === "edge-1")?.state;
  }

  /** The roots of the vault, as a handshake brings them. */
  async meetRoot(): Promise<void> {
    const { root } = (await this.rig.call("GET", "/v1/root")) as { root: string };
    this.node.node.learn([new Uint8Array(Buffer.from(root, "base64"))]);
  }
}

t.test("incident 10: a vault put back from an old copy sees it, learns what it forgot, and then issues again", async (t) => {
  const world = await RestoreWorld.make(t);
  await world.backup();
  await world.rotated(1, 1);
  await world.rotated(2, 2);
  t.same((await world.history()).slice(0, 3), ["1.4 issued", "1.3 issued", "1.2 acknowledged"]);
  await world.putBack();
  t.same(await world.history(), ["1.2 issued", "1.1 issued", "1.0 acknowledged"], "what the backup knows");

  const waiting = (await world.rig.outbox(world.node.node.nodeId)).length;
  const alarm = encodeFact({ kind: "alarm", code: "TEST_ALARM", subject: "a test", at: { lo: 1, hi: null } });
  world.node.report([alarm]);
  await world.node.exchange();
  t.equal(await world.state(), "behind", "the edge's signed acknowledgement names what this store never issued");
  t.equal((await world.rig.outbox(world.node.node.nodeId)).length, waiting, "nothing is issued to it");

  await world.raise();
  await world.meetRoot();
  await world.node.exchange();
  t.equal(await world.state(), "unsettled");
  t.same(await world.rig.outbox(world.node.node.nodeId), [], "nothing before its escrow is learned");
  await t.rejects(
    world.rig.join(t, { ...enrolment, zone: "plant" }),
    { code: "LEDGER_UNSETTLED" },
    "nor to another edge there",
  );

  await world.learn();
  const after = await world.history();
  t.same(after, [
    "2.2 issued",
    "2.1 issued",
    "1.4 issued",
    "1.3 issued",
    "1.2 acknowledged",
    "1.1 superseded",
    "1.0 superseded",
  ]);
  const outcomes = await world.node.exchange();
  t.ok(outcomes.includes("applied"), "a snapshot of the new epoch");
  t.same(world.node.node.head().epoch, 2);
  t.same((await world.rig.call("GET", "/v1/escrows"))["unsettled"], []);
  t.equal(await world.state(), "active");
});

t.test("another value under a number that the edge knows is kept beside it", async (t) => {
  const world = await RestoreWorld.make(t);
  await world.backup();
  await world.rotated(1, 1);
  await world.putBack();
  // The old store, not seen through yet, draws 1.3 anew: the edge has another one.
  await world.rig.core.store.transaction((tx) =>
    tx.updateTable("credentials").set({ status: "rejected" }).where("number", "=", 1).execute(),
  );
  await world.rig.setPassword(path, "Second-live");
  await world.raise();
  await world.meetRoot();
  await world.node.exchange();
  await world.learn();
  const escrowed = (await world.rig.call("GET", `/v1/credentials/history?path=${path}`)) as {
    versions?: { version: string; source: string }[];
  };
  t.ok(
    escrowed.versions?.some(({ version, source }) => source !== "escrow" && version.startsWith("2.")),
    "the vault's own goes on under a number of the new epoch",
  );
  const shown = (await world.rig.call("POST", "/v1/credentials/recover", { path })) as unknown as {
    fields: Record<string, string>;
  }[];
  const values = shown.map(({ fields }) => Buffer.from(fields["password"] ?? "", "base64").toString());
  t.equal(new Set(values).size, values.length, "each value once");
  for (const held of Object.values(world.node.values(path)).flat())
    t.ok(values.includes(held), "what the edge holds, the vault holds");
});

t.test("the keys that were carried away are what they must be, and an edge that is gone can be given up", async (t) => {
  const world = await RestoreWorld.make(t);
  await world.raise();
  t.same((await world.rig.call("GET", "/v1/escrows"))["unsettled"], [path]);
  const { root } = (await world.rig.call("GET", "/v1/root")) as { root: string };
  await t.rejects(world.rig.call("POST", "/v1/root", { root }), { code: "RECOVERY_ROOT" });
  const none = { nodeId: "00".repeat(20), epoch: 1, seq: 1, accounts: [], last: true };
  await t.rejects(world.rig.call("POST", "/v1/escrows/learn", none), { code: "RECOVERY_ESCROW" });
  await world.giveUp();
  t.same((await world.rig.call("GET", "/v1/escrows"))["unsettled"], []);
  t.same((await world.history()).slice(0, 2), ["2.2 issued", "2.1 issued"]);
});
