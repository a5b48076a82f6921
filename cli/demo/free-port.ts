import { createServer } from "node:net";

/** A TCP port of `address` that was free a moment ago. */
export async function freePort(address: string): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", reject);
    probe.listen(0, address, resolve);
  });
  const bound = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return typeof bound === "object" && bound !== null ? bound.port : 0;
}
