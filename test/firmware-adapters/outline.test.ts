import t from "tap";
import { changeOutline, loadBuiltinModels } from "../../firmware-adapters/index.ts";

t.test("an outline names each request of a change in its order, for every model, and no secret", async (t) => {
  const expected: Readonly<Record<string, readonly RegExp[]>> = {
    modbus: [
      /^connect to 10\.0\.0\.9:502 over Modbus TCP, unit 7$/,
      /log in with the current password/,
      /write the new password/,
    ],
    snmp: [
      /^connect to 10\.0\.0\.9:502 over SNMPv3 as operator/,
      /current keys/,
      /SET usmUserSpinLock/,
      /new keys, on a session/,
    ],
    ssh: [/^connect to 10\.0\.0\.9:502 over SSH/, /current password/, /and run/, /new password/, /new password once more/],
  };
  for (const model of loadBuiltinModels().values()) {
    const target = { host: "10.0.0.9", port: 502, settings: { unitId: "7", admin: "root" } };
    const lines = changeOutline({ target, username: "operator", model });
    let at = 0;
    for (const pattern of expected[model.adapter] ?? []) {
      const found = lines.findIndex((line, i) => i >= at && pattern.test(line));
      t.ok(found >= 0, `${model.name}: ${pattern}`);
      at = found + 1;
    }
    t.match(lines.at(-1), /once more/, model.name);
    if (!model.needsSave) continue;
    t.ok(
      lines.some((line) => /^save:|save|SET \d/.test(line)),
      `${model.name} saves`,
    );
  }
});
