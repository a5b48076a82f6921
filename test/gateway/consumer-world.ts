import { join } from "node:path";
import type { Test } from "tap";
import { createDataFolder } from "../../agent/data-folder/index.ts";
import { createLog } from "../../agent/log/index.ts";
import { createKeyFile } from "../../agent/seal-key/index.ts";
import { LinkError } from "../../agent/tunnel/index.ts";
import { edgeConfigSchema, joinEdge, type RunningEdge, start } from "../../edge/index.ts";
import type { RunningGateway } from "../../gateway/index.ts";
import type { DesiredEntry } from "../../protocol/bundle/index.ts";
import type { CredentialRole } from "../../protocol/content/index.ts";
import { encodeEnrolmentCode } from "../../protocol/join/index.ts";
import type { RotationEvent } from "../../protocol/rotation/index.ts";
import { nodeRole } from "../../protocol/trust/index.ts";
import { TestDevice } from "../edge/test-device.ts";
import { joinedNow } from "../support/joined.ts";
import { accountContent, credentialContent, desired, historianContent, meterContent } from "../support/paper-content.ts";
import { patientMeterText } from "../support/patient-meter.ts";
import { shortFolder } from "../support/short-folder.ts";
import { GatewayWorld } from "./gateway-world.ts";

const token = "token-of-the-dmz-historian";
const at = (byte: number) => new Uint8Array(16).fill(byte);
const path = "plant-1/meter/operator";

/** What an application in the DMZ got: what it logs in with, in the order in which it tries. */
interface Answer {
  readonly version: string;
  readonly rotation: string;
  readonly values: readonly string[];
}

/** A real gateway and a real edge in one process, a paper vault that holds back the pool until the gateway has it, and one device. */
export class ConsumerWorld {
  readonly world: GatewayWorld;
  readonly device = new TestDevice();
  readonly #t: Test;
  /** Number of the value that the vault knows to be live, and of the newest that it has issued. */
  current = 0;
  issued = 2;
  /** What the edge holds for its pool. */
  exported = 0;
  cut = false;
  /** Reads whose first value would not have logged in any more, but an alternate. */
  rescued = 0;
  edge: RunningEdge | null = null;
  gateway: RunningGateway | null = null;
  edgeId = new Uint8Array(0);

  constructor(t: Test) {
    this.#t = t;
    this.world = new GatewayWorld(t);
    // Each value is its number's name: the test knows by it what the device must have.
    this.device.live = "value-0";
    this.device.saved = "value-0";
  }

  async start(): Promise<void> {
    const { world } = this;
    await world.openVault();
    world.desired = this.atGateway();
    this.gateway = await world.start();
    const folder = createDataFolder(join(shortFolder(this.#t), "e"));
    const unlock = { kind: "key-file", path: join(folder.keys, "key-file") } as const;
    const { seams } = world;
    createKeyFile(unlock.path, seams.random);
    const code = world.vault.enrol("edge-1", nodeRole.edge, "gateway.test:7444");
    world.edgeCodes.push(code);
    const dial = world.network.dial(null);
    const member = joinedNow(await joinEdge({ folder, code: encodeEnrolmentCode(code), unlock, seams, api: null, dial }));
    this.edgeId = new Uint8Array(member.nodeId);
    this.tellGateway();
    const own = world.network.dial(member.tlsKeyHash);
    const config = edgeConfigSchema.parse({ gateway: { address: "gateway.test:7444" } });
    const log = createLog({ level: "silent", node: "edge" });
    const edge = await start({ folder, config, version: "0.0.0" }, seams, unlock, {
      adapters: this.device,
      log,
      dial: async (target, signal) => {
        if (this.cut) throw new LinkError("LINK_UNREACHABLE", "the cable is out");
        return own(target, signal);
      },
    });
    this.edge = edge;
    this.#t.teardown(() => edge.close());
    this.tellEdge();
    await this.follow(() => this.pool() === 2);
  }

  /** Does what the vault does with what it heard, until `done`; reading all the while as the application does. */
  async follow(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#heard();
      await this.read();
    }
  }

  /** Reads as the application does, and fails the test where it is left without a value that logs in. */
  async read(): Promise<Answer> {
    const before = this.device.live;
    const { status, body } = await this.world.get(`/v1/credentials/${path}?alternates=1`, token);
    if (status !== 200) this.#t.fail(`the gateway answers ${status}`);
    const alternates = body["alternates"] as { password: string }[];
    const values = [String(body["password"]), ...alternates.map(({ password }) => password)];
    const good = values.includes(before) || values.includes(this.device.live);
    const [first] = values;
    if (good && first !== before && first !== this.device.live) this.rescued += 1;
    if (!good) this.#t.fail(`the device has ${this.device.live}, the application got ${values.join(", ")}`);
    return { version: String(body["version"]), rotation: String(body["rotation"]), values };
  }

  /** The operator at the segment orders it; reads until it has begun. */
  async order(event: RotationEvent): Promise<void> {
    const { engine, credentials } = this.parts();
    const account = credentials.accountAt(path);
    if (account === null) throw new Error("no account at the edge");
    while (engine.tell(account, event) !== null) await this.read();
    engine.advance(account);
  }

  /** Takes the cable out between edge and gateway. */
  unplug(): void {
    this.cut = true;
    this.gateway?.parts.edges()?.drop(this.edgeId);
  }

  phase(): string {
    return this.parts().credentials.accountAt(path)?.record.state.phase ?? "none";
  }

  pool(): number {
    return this.edge?.parts.credentials.accountAt(path)?.record.state.pool.length ?? 0;
  }

  tellGateway(): void {
    const { world } = this;
    world.send(world.gatewayId, world.vault.delta(world.gatewayId, this.atGateway()));
  }

  tellEdge(): void {
    const { world } = this;
    world.send(this.edgeId, world.vault.delta(this.edgeId, this.atEdge()));
  }

  atGateway(): DesiredEntry[] {
    const pending = this.#values().map((number) => this.#value(number, number === this.current ? "current" : "pending"));
    const { edgeId } = this;
    const conduit: DesiredEntry[] =
      edgeId.length === 0 ? [] : [desired(edgeId.slice(0, 16), { kind: "conduit", nodeId: edgeId, name: "edge-1" })];
    return [historian, account, ...pending, ...conduit];
  }

  parts() {
    if (this.edge === null) throw new Error("not started");
    return this.edge.parts;
  }

  atEdge(): DesiredEntry[] {
    const values = this.#values().filter((number) => number <= this.exported || number === this.current);
    const yaml = patientMeterText().replace("settleMs: 2000", "settleMs: 0");
    return [
      desired(at(4), { kind: "model", name: "patient-meter", yaml }),
      desired(at(1), meterContent()),
      account,
      ...values.map((number) => this.#value(number, number === this.current ? "current" : "pool")),
    ];
  }

  #values(): number[] {
    return Array.from({ length: this.issued - this.current + 1 }, (_, i) => this.current + i);
  }

  #value(number: number, role: CredentialRole): DesiredEntry {
    const content = credentialContent(at(2), [number, `value-${number}`, role]);
    // What was pending becomes current under the same id, so its index must rise.
    return desired(at(10 + number), content, { number: number * 2 + (role === "current" ? 2 : 1) });
  }

  /** The vault's rules: what a gateway holds goes to the edge, and what an edge has proven is current. */
  #heard(): void {
    for (const { from, fact } of this.world.facts.splice(0)) {
      if (fact.kind === "consumer-ack" && from === "gateway-1" && fact.index.number > this.exported) {
        this.exported = fact.index.number;
        this.tellEdge();
      }
      if (fact.kind === "rotation" && fact.outcome === "verified" && fact.index.number > this.current) {
        this.current = fact.index.number;
        this.issued = this.current + 2;
        this.tellGateway();
        this.tellEdge();
      }
    }
  }
}

const historian = desired(at(5), historianContent(token, ["plant-1/**"]));
const account = desired(at(2), accountContent(at(1), path, { windowless: true }));
