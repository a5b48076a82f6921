import { createSocket, type Socket } from "node:dgram";

/** A UDP relay on 127.0.0.1 that can lose answers. */
export interface UdpProxy {
  readonly port: number;
  /** Datagrams from clients so far. */
  readonly requests: readonly Buffer[];
  /** Loses the n-th answer from now on, counted from 1; every other passes. */
  loseAnswer(n: number): void;
  close(): Promise<void>;
}

/** Starts a relay to 127.0.0.1:`targetPort`. */
export async function startUdpProxy(targetPort: number): Promise<UdpProxy> {
  const front = createSocket("udp4");
  const backs = new Map<number, Socket>();
  const requests: Buffer[] = [];
  let untilLoss = 0;
  front.on("message", (datagram, from) => {
    requests.push(datagram);
    let back = backs.get(from.port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("message", (answer) => {
        untilLoss -= 1;
        if (untilLoss !== 0) front.send(answer, from.port, from.address);
      });
      backs.set(from.port, back);
    }
    back.send(datagram, targetPort, "127.0.0.1");
  });
  await new Promise<void>((resolve) => front.bind(0, "127.0.0.1", () => resolve()));
  return {
    port: front.address().port,
    requests,
    loseAnswer(n) {
      untilLoss = n;
    },
    async close() {
      for (const socket of [front, ...backs.values()]) await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
