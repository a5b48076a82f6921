import t from "tap";
import { machineSeams } from "../../agent/seams/index.ts";
import { builtinModelText, createAdapterHost, loadModel, resolveSettings } from "../../firmware-adapters/index.ts";
import { AccountRig } from "../edge/account-rig.ts";
import { peerSuite } from "./peer-suite.ts";
import { Sshd, sshdPeer, UnixAccount } from "./sshd.ts";

const first = "First-password-2345678";
const pool = ["Second-password-345678", "Third-password-4567892"];
const strange = "Strange-password-23456";
const admins = "Admins-password-234567";

const seams = machineSeams();
const adapters = createAdapterHost({ timers: seams.timers });
t.teardown(() => adapters.close());

await peerSuite(t, sshdPeer, async (suite) => {
  suite.stated(Sshd.version());
  await suite.test("an account that nobody can log in to any more is set anew by the device's administrator", async (t) => {
    const sshd = await Sshd.start({ config: ["PermitRootLogin yes"] });
    t.teardown(() => sshd.stop());
    const operator = new UnixAccount(first);
    const admin = new UnixAccount(admins, { admin: true });
    t.teardown(() => operator.remove());
    t.teardown(() => admin.remove());
    // Every wrong password costs two seconds of PAM, and none of them locks anybody out here.
    const model = loadModel(builtinModelText("openssh-chpasswd").replace("lockout: unknown", "lockout: none"));
    const settings = { admin: `z/host/${admin.name}` };
    const make = (reconcileBy: Uint8Array | null) =>
      new AccountRig({
        seams,
        adapters,
        models: (_name, given) => {
          const resolved = resolveSettings(model, given);
          return resolved.settings === null ? null : { model, settings: resolved.settings };
        },
        device: { port: sshd.port, settings: new Map(Object.entries(settings)) },
        accounts: [
          { username: operator.name, values: [first, ...pool], content: { reconcileBy } },
          { username: admin.name, values: [admins], content: { rotate: "never" } },
        ],
      });
    const rig = make(new Uint8Array(16).fill(101));
    t.teardown(() => rig.engine.close());
    const account = () => rig.account(operator.name);
    const tell = (event: Parameters<typeof rig.engine.tell>[1]) => {
      const refused = rig.engine.tell(account(), event);
      rig.engine.advance(account());
      return refused;
    };
    tell({ kind: "verify" });
    await rig.until(() => rig.reports.length === 1 && !account().busy);
    t.equal(tell({ kind: "reconcile" }), "ROTATION_NOT_NOW", "not while its own password works");

    operator.set(strange);
    tell({ kind: "verify" });
    await rig.until(() => rig.phase(operator.name) === "UNKNOWN");
    t.same(operator.live([first, ...pool]), []);
    t.equal(tell({ kind: "reconcile" }), null);
    await rig.until(() => rig.phase(operator.name) === "VERIFIED");
    t.same(operator.live([first, ...pool, strange]), [pool[0]], "the value that the vault had issued next");
    t.same(rig.reports.slice(-2), [`${operator.name} unknown 0`, `${operator.name} verified 1`]);
    t.equal(await sshd.lets(operator.name, pool[0] ?? ""), true);
    t.same(
      [...account().record.state.candidates, ...account().record.state.history].map(({ ref }) => ref).sort(),
      [0, 1],
      "what was known before stays known",
    );
    t.notMatch(sshd.log, pool[0] ?? "", "the value is in no log");

    operator.set(strange);
    admin.set(strange);
    tell({ kind: "verify" });
    await rig.until(() => rig.phase(operator.name) === "UNKNOWN" && !account().busy);
    t.equal(tell({ kind: "reconcile" }), null);
    await rig.until(() => rig.phase(operator.name) === "UNKNOWN" || rig.account(admin.name).refusedAsHelper !== null);
    await rig.until(() => !account().busy);
    t.equal(rig.account(admin.name).refusedAsHelper !== null, true, "the administrator's password is another one too");
    t.equal(rig.phase(operator.name) === "UNKNOWN" ? tell({ kind: "reconcile" }) : account().waiting, "ROTATION_NO_RECONCILER");
    t.same(operator.live([first, ...pool]), [], "and nothing was changed");
  });
});
