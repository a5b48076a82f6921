import { TidegateError } from "../../protocol/base/index.ts";
import { parseAddress } from "../address/index.ts";
import type { Seams } from "../seams/index.ts";
import { LinkError } from "./errors.ts";
import { decodeJoinMessage, encodeJoinMessage } from "./join-message.ts";
import { dialMs, joinMs, joinWaitMs, maxJoinAnswerBytes } from "./limits.ts";
import { type Dial, joinPath, type MessageStream } from "./message-stream.ts";

export interface JoinOptions {
  /** `host:port` of the vault or of the gateway on the way. */
  readonly address: string;
  /** The join request's carrier. */
  readonly carrier: Uint8Array;
  readonly dial: Dial;
  readonly seams: Pick<Seams, "timers">;
  /** Aborting ends the wait with LINK_JOIN_CUT. */
  readonly signal?: AbortSignal;
}

/**
 * Sends a join request and waits, minutes if need be, for the answer's carrier. Throws ADDRESS_INVALID, LINK_UNREACHABLE,
 * LINK_JOIN_REFUSED (with `refusal`), LINK_JOIN_CUT, LINK_JOIN_TIMEOUT, LINK_JOIN_MALFORMED. The answer is not judged here.
 */
export async function requestJoin(options: JoinOptions): Promise<Uint8Array> {
  const address = parseAddress(options.address);
  const abort = new AbortController();
  const stop = () => abort.abort();
  options.signal?.addEventListener("abort", stop, { once: true });
  if (options.signal?.aborted === true) stop();
  const cancel = options.seams.timers.after(dialMs, stop);
  try {
    const target = { address, path: joinPath, maxMessageBytes: maxJoinAnswerBytes } as const;
    const stream = await options.dial(target, abort.signal).finally(cancel);
    return await exchange(stream, options, abort.signal);
  } finally {
    options.signal?.removeEventListener("abort", stop);
  }
}

function exchange(stream: MessageStream, options: JoinOptions, signal: AbortSignal): Promise<Uint8Array> {
  const { timers } = options.seams;
  return new Promise((resolve, reject) => {
    let over = false;
    const end = (settle: () => void) => {
      if (over) return;
      over = true;
      cancelSilence();
      cancelEnd();
      signal.removeEventListener("abort", cut);
      settle();
      stream.close(0);
    };
    const fail = (error: TidegateError) => end(() => reject(error));
    const cut = () => fail(new LinkError("LINK_JOIN_CUT", "the connection ended without an answer"));
    const late = () => fail(new LinkError("LINK_JOIN_TIMEOUT", "no answer in time"));
    const silence = () => timers.after(3 * joinWaitMs, late);
    let cancelSilence = silence();
    const cancelEnd = timers.after(joinMs, late);
    stream.start({
      message(bytes) {
        cancelSilence();
        cancelSilence = over ? () => {} : silence();
        try {
          const message = decodeJoinMessage(bytes);
          if (message.kind === "wait") return;
          if (message.kind === "request") throw new LinkError("LINK_JOIN_MALFORMED", "a request as an answer");
          if (message.kind === "answer") return end(() => resolve(message.carrier));
          fail(new LinkError("LINK_JOIN_REFUSED", `refused with ${message.code}`, { refusal: message.code }));
        } catch (error) {
          if (!(error instanceof TidegateError)) throw error;
          fail(error);
        }
      },
      drained() {},
      closed: cut,
    });
    if (signal.aborted) return cut();
    signal.addEventListener("abort", cut, { once: true });
    stream.send(encodeJoinMessage({ kind: "request", carrier: options.carrier }));
  });
}
