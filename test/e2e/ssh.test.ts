import t, { type Test } from "tap";
import { peerSuite } from "../peers/peer-suite.ts";
import { Sshd, sshdPeer, UnixAccount } from "../peers/sshd.ts";
import { Plant } from "./plant.ts";

t.setTimeout(240_000);

const factory = { authPassword: "factory-auth-0000", privPassword: "factory-priv-0000" };
const first = "First-password-2345678";
const admins = "Admins-password-234567";

/** Registers a host of the server with its accounts and their passwords. */
async function addHost(
  plant: Plant,
  name: string,
  sshd: Sshd,
  options: readonly string[],
  accounts: readonly [UnixAccount, string][],
) {
  const users = accounts.flatMap(([account]) => ["--account", account.name]);
  const place = ["--zone", "line-4", "--host", "127.0.0.1", "--port", String(sshd.port)];
  await plant.system.vault(["device", "add", name, ...place, ...options, ...users]);
  for (const [account, password] of accounts)
    await plant.system.vault(["credential", "set", `line-4/${name}/${account.name}`, "--from-stdin"], password);
}

/** Rotates, and has OpenSSH's own client judge what the vault then calls current. */
async function rotates(t: Test, plant: Plant, sshd: Sshd, path: string, user: string): Promise<void> {
  t.equal(await plant.ordered(await plant.order(path)), "done", path);
  const { version, fields } = await plant.reveal(path);
  const password = fields["password"] ?? "";
  t.equal(version, "1.1");
  t.equal(await sshd.lets(user, password), true, "ssh logs in with what the vault calls current");
  t.equal(await sshd.lets(user, first), false, "and not with the one before");
  t.notMatch(sshd.log, password, "the server's log does not hold it");
  t.notMatch(plant.said("edge"), password, "nor the edge's");
}

await peerSuite(t, sshdPeer, async (suite) => {
  suite.stated(Sshd.version());
  const plant = await Plant.start(t, factory);
  const sshd = await Sshd.start({ config: ["PermitRootLogin yes"] });
  t.teardown(() => sshd.stop());
  const made = (password: string, options: { readonly admin?: boolean } = {}) => {
    const account = new UnixAccount(password, options);
    t.teardown(() => account.remove());
    return account;
  };

  await suite.test("an account of a real sshd is rotated through the whole system by its own passwd", async (t) => {
    const account = made(first);
    const pinned = ["--model", "openssh-passwd", "--set", `hostKey=${sshd.fingerprint()}`];
    await addHost(plant, "host-1", sshd, pinned, [[account, first]]);
    await rotates(t, plant, sshd, `line-4/host-1/${account.name}`, account.name);
  });

  await suite.test("and one by an admin account of the same device, never without it", async (t) => {
    const account = made(first);
    const admin = made(admins, { admin: true });
    const model = ["--model", "openssh-chpasswd", "--set", `admin=line-4/host-2/${admin.name}`];
    await addHost(plant, "host-2", sshd, model, [
      [account, first],
      [admin, admins],
    ]);
    await rotates(t, plant, sshd, `line-4/host-2/${account.name}`, account.name);
    t.equal(await sshd.lets(admin.name, admins), true, "the admin's own password stays");

    const other = made(first);
    await addHost(plant, "host-3", sshd, model, [[other, first]]);
    const order = await plant.order(`line-4/host-3/${other.name}`);
    t.equal(await plant.ordered(order), "refused ROTATION_HELPER", "an admin account of another device is none");
    t.same(other.live([first]), [first]);
  });

  await suite.test("a host key that is not the pinned one is sent no password", async (t) => {
    const account = made(first);
    const pinned = ["--model", "openssh-passwd", "--set", `hostKey=SHA256:${"A".repeat(43)}`];
    await addHost(plant, "host-4", sshd, pinned, [[account, first]]);
    const path = `line-4/host-4/${account.name}`;
    await plant.order(path);
    const { until } = await import("./built.ts");
    await until("the alarm about the host key", async () => {
      const alarms = JSON.stringify(await plant.call("vault", "GET", "/v1/alarms"));
      return alarms.includes("DEVICE_IDENTITY_CHANGED") && alarms.includes(path) ? true : null;
    });
    t.notMatch(sshd.log, new RegExp(`for ${account.name} `), "no login was made");
    t.same(account.live([first]), [first]);
  });
});
