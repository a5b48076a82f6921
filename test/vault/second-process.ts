import { machineSeams } from "../../agent/seams/index.ts";
import { accountAt, setCredential } from "../../vault/registry/index.ts";
import { openVaultStore } from "../../vault/store/index.ts";
import { password, registryContext } from "./rig.ts";

/** One of two processes on one store: sets a credential many times and prints the numbers that it was given. */
const [path, count] = process.argv.slice(2);
const store = await openVaultStore({ path: String(path), clock: machineSeams().clock });
const context = registryContext();
const numbers: number[] = [];
for (let i = 0; i < Number(count); i += 1) {
  const [, number] = await store.transaction(async (tx) =>
    setCredential(context, tx, await accountAt(tx, "plant/pump/operator"), password(`value ${process.pid} ${i}`.slice(0, 16))),
  );
  numbers.push(number);
}
await store.close();
process.stdout.write(JSON.stringify(numbers));
