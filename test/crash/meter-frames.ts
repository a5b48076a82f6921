import { connect } from "node:net";

// Modbus by hand, so that the judge shares nothing with the adapter.

/** Registers of the meter: authorisation by the password, and the password itself, both floats. */
export const programming = 0x000e;
export const passwordRegister = 0x0018;
/** Exception code of Modbus. */
export const illegalValue = 3;

const patienceMs = 5_000;

/** A request that writes a float to two registers. */
export function writeFloat(address: number, value: number): Buffer {
  const request = Buffer.from("01100000000204" + "00000000", "hex");
  request.writeUInt16BE(address, 2);
  request.writeFloatBE(value, 7);
  return request;
}

function readTwo(address: number): Buffer {
  const request = Buffer.from("010300000002", "hex");
  request.writeUInt16BE(address, 2);
  return request;
}

/** Asks the meter to grant programming by this password, and reads whether it did. */
export async function meterLets(port: number, password: number): Promise<boolean> {
  const [, granted] = await meterSays(port, [writeFloat(programming, password), readTwo(programming)]);
  return granted !== undefined && granted.length === 7 && granted.readFloatBE(3) === 1;
}

/** Sends the requests, each after the answer to the one before; gives the answers, fewer where the meter stops answering. */
export function meterSays(port: number, requests: readonly Buffer[]): Promise<Buffer[]> {
  const answers: Buffer[] = [];
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, "127.0.0.1");
    const finish = (): void => {
      socket.destroy();
      resolve(answers);
    };
    const ask = (): void => {
      const request = requests[answers.length];
      if (request === undefined) return finish();
      const header = Buffer.alloc(6);
      header.writeUInt16BE(answers.length + 1, 0);
      header.writeUInt16BE(request.length, 4);
      socket.write(Buffer.concat([header, request]));
    };
    socket.setTimeout(patienceMs, finish);
    socket.on("error", finish);
    socket.on("close", finish);
    socket.on("connect", ask);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 6 && received.length >= 6 + received.readUInt16BE(4)) {
        const end = 6 + received.readUInt16BE(4);
        answers.push(received.subarray(6, end));
        received = received.subarray(end);
        ask();
      }
    });
  });
}
