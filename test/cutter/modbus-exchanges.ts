import { builtinModelText, loadModel, type Operation, type PushJob } from "../../firmware-adapters/index.ts";
import { modbusAdapter } from "../../firmware-adapters/modbus/index.ts";
import { ModbusDevice } from "../peers/modbus-device.ts";
import { startTcpCutter } from "../support/cutter.ts";
import type { CutExchange } from "./run-cuts.ts";

const passwords = { old: "1234", new: "4321", wrong: "1111" } as const;

/** Every byte of every exchange with the two emulated meters on libmodbus. */
export function modbusExchanges(): readonly CutExchange[] {
  return (["eastron", "shark"] as const).flatMap((kind) => {
    const model = loadModel(
      builtinModelText(kind === "eastron" ? "eastron-sdm" : "eig-shark")
        // The emulation restarts at once; after a cut the meter never comes back in time.
        .replace("withinMs: 30000", "withinMs: 300"),
    );
    const jobFor = (port: number, current: string, timeoutMs: number): PushJob => ({
      target: { host: "127.0.0.1", port, settings: {} },
      username: "",
      secrets: { current: { password: Buffer.from(current) }, next: { password: Buffer.from(passwords.new) } },
      model,
      identity: null,
      timeoutMs,
      attempts: 1,
      state: Uint8Array.of(1),
    });
    const exchange = (name: string, operation: Operation, current: keyof typeof passwords): CutExchange => ({
      adapter: `modbus ${kind}`,
      name,
      unit: "byte",
      ways: ["request", "answer"],
      hows: ["end", "silence"],
      sample: null,
      lanes: 4,
      async run(cut) {
        const device = await ModbusDevice.start(kind, Number(passwords.old));
        const cutter = await startTcpCutter(() => device.port, cut);
        try {
          const timeoutMs = cut?.how === "silence" ? 150 : 2000;
          const outcome = await modbusAdapter[operation](jobFor(cutter.port, passwords[current], timeoutMs));
          await cutter.close();
          if (operation !== "push") return { outcome, cutter, truth: { kind: "proof", right: current !== "wrong" } };
          // A power cut brings what is stored, which is what counts with these two: neither has a save of its own.
          await device.restart();
          const live: ("old" | "new")[] = [];
          for (const which of ["old", "new"] as const) {
            const login = await modbusAdapter.verify(jobFor(device.port, passwords[which], 2000));
            if (login.kind === "OK") live.push(which);
          }
          return { outcome, cutter, truth: { kind: "change", live } };
        } finally {
          await cutter.close();
          await device.stop();
        }
      },
    });
    return [exchange("push", "push", "old"), exchange("verify", "verify", "old"), exchange("verify wrong", "verify", "wrong")];
  });
}
