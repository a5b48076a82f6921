import { createSocket, type Socket as DatagramSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";

/** Which way something goes: to the device, or from it. */
export type Direction = "request" | "answer";

/** Where a relay stops. */
export interface Cut {
  /** The way in which is counted; `both` for datagrams that are numbered as they come, whichever way. */
  readonly direction: Direction | "both";
  /** Bytes, or datagrams, that still pass. */
  readonly after: number;
  /**
   * `end`: both sides see the connection end. `silence`: nothing passes any more and nobody is told. `deaf`: only answers
   * vanish, requests still arrive.
   */
  readonly how: "end" | "silence" | "deaf";
}

/** A relay on 127.0.0.1 that stops an exchange in the middle. */
export interface Cutter {
  readonly port: number;
  /** After how many bytes (datagrams) each packet of each way ended, so far. */
  readonly ends: Readonly<Record<Direction, readonly number[]>>;
  /** True once the cut has come. */
  readonly happened: boolean;
  close(): Promise<void>;
}

/** A TCP relay to 127.0.0.1; bytes are counted over all of its connections, and after the cut it takes no more of them. */
export async function startTcpCutter(target: () => number, cut: Cut | null): Promise<Cutter> {
  const sockets = new Set<Socket>();
  const ends: Record<Direction, number[]> = { request: [], answer: [] };
  let happened = false;
  const relay = (direction: Direction, from: Socket, to: Socket) => {
    from.on("data", (chunk: Buffer) => {
      if (happened && (cut?.how !== "deaf" || direction === "answer")) return;
      const passed = ends[direction].at(-1) ?? 0;
      const room = cut?.direction === direction && !happened ? cut.after - passed : Number.POSITIVE_INFINITY;
      const part = chunk.subarray(0, Math.min(chunk.length, room));
      if (part.length > 0) ends[direction].push(passed + part.length);
      if (room > chunk.length) return void to.write(part);
      happened = true;
      if (cut?.how !== "end") return void to.write(part);
      to.end(part);
      from.destroy();
    });
    from.on("end", () => to.end());
    from.on("close", () => {
      if (!happened || cut?.how === "end") to.end();
    });
  };
  const server = createServer((front) => {
    const back = connect({ port: target(), host: "127.0.0.1", noDelay: true });
    front.setNoDelay(true);
    for (const socket of [front, back]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => sockets.delete(socket));
    }
    if (happened) {
      front.destroy();
      back.destroy();
      return;
    }
    relay("request", front, back);
    relay("answer", back, front);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    ends,
    get happened() {
      return happened;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A UDP relay to 127.0.0.1; a datagram passes whole or not at all. */
export async function startUdpCutter(target: () => number, cut: Cut | null): Promise<Cutter> {
  const front = createSocket("udp4");
  const backs = new Map<number, DatagramSocket>();
  const ends: Record<Direction, number[]> = { request: [], answer: [] };
  let happened = false;
  const passes = (direction: Direction): boolean => {
    const seen = ends.request.length + ends.answer.length;
    const counted = cut?.direction === "both" ? seen : ends[cut?.direction === "answer" ? "answer" : "request"].length;
    happened ||= cut !== null && counted >= cut.after && (cut.direction === "both" || cut.direction === direction);
    if (happened && (cut?.how !== "deaf" || direction === "answer")) return false;
    ends[direction].push(ends[direction].length + 1);
    return true;
  };
  front.on("message", (datagram, from) => {
    let back = backs.get(from.port);
    if (back === undefined) {
      back = createSocket("udp4");
      back.on("message", (answer) => {
        if (passes("answer")) front.send(answer, from.port, from.address);
      });
      back.on("error", () => {});
      backs.set(from.port, back);
    }
    if (passes("request")) back.send(datagram, target(), "127.0.0.1");
  });
  await new Promise<void>((resolve) => front.bind(0, "127.0.0.1", () => resolve()));
  return {
    port: front.address().port,
    ends,
    get happened() {
      return happened;
    },
    async close() {
      for (const socket of [front, ...backs.values()]) await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
}
