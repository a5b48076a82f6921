import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ServerTCP } from "modbus-serial";
import { freePort } from "./free-port.ts";
import { illegalAddress, type MeterKind, powerOn } from "./modbus-meter.ts";

/** A meter on the network. */
export interface MeterServer {
  readonly port: number;
  close(): Promise<void>;
}

const memoryFile = "eeprom.json";

/** Gives a meter that has never been on its first password. */
export function deliverMeter(folder: string, password: number): void {
  keepPassword(folder, password);
}

/**
 * Switches the meter in `folder` on, on a free port of 127.0.0.1. Its non-volatile memory is a file there, so that ending
 * the process and starting it again is the power cut that it is for a real one.
 */
export async function startMeter(folder: string, kind: MeterKind): Promise<MeterServer> {
  const start = () => powerOn(kind, storedPassword(folder), (password) => keepPassword(folder, password));
  let meter = start();
  // The library takes 0 for 502.
  const port = await freePort("127.0.0.1");
  const write = async (address: number, values: readonly number[]) => {
    const { exception, restarts } = meter.writeRegisters(address, values);
    if (restarts) restart();
    // The library answers a rejected write with this property as the exception code.
    if (exception !== 0) throw Object.assign(new Error("refused"), { modbusErrorCode: exception });
  };
  const server = new ServerTCP(
    {
      getHoldingRegister: async (address: number) => meter.readRegister(address),
      setRegister: (address: number, value: number) => write(address, [value]),
      setRegisterArray: (address: number, values: number[]) => write(address, values),
      setCoil: async () => {
        throw Object.assign(new Error("refused"), { modbusErrorCode: illegalAddress });
      },
    },
    { host: "127.0.0.1", port },
  );
  // The answer still leaves: the library writes it before the next turn.
  const restart = () => {
    meter = start();
    setImmediate(() => {
      for (const socket of server.socks.keys()) socket.end();
    });
  };
  server.on("socketError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.on("initialized", () => resolve());
    server.on("serverError", (error) => reject(error));
  });
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

function storedPassword(folder: string): number {
  return (JSON.parse(readFileSync(join(folder, memoryFile), "utf8")) as { password: number }).password;
}

function keepPassword(folder: string, password: number): void {
  const unfinished = join(folder, `${memoryFile}.new`);
  writeFileSync(unfinished, JSON.stringify({ password }), { mode: 0o600, flush: true });
  renameSync(unfinished, join(folder, memoryFile));
}
