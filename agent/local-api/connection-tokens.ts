import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import type { Application, ApplicationTable } from "./applications.ts";
import { apiLimits } from "./limits.ts";

/** Whose token a connection showed last. */
interface Shown {
  readonly token: Buffer;
  /** As long as the token: where the next one is laid beside it. */
  readonly scratch: Buffer;
  readonly table: ApplicationTable;
  readonly application: Application;
}

/**
 * Applications by connection: one that keeps its connection shows the same token again and again, and is not hashed and looked up
 * each time. It is the connection's own last token that is compared, in constant time, and only while the table of applications
 * is the one that knew it. Wiped when the connection ends.
 */
export class ConnectionTokens {
  readonly #shown = new WeakMap<Socket, Shown>();
  readonly #onLogin: (application: Application) => void;

  /** `onLogin` is told whenever a token was looked up and is good: once a connection, for who keeps it. */
  constructor(onLogin: (application: Application) => void = () => {}) {
    this.#onLogin = onLogin;
  }

  /** The application of a token that came on `connection`, or null. */
  authenticate(connection: Socket, token: string, table: ApplicationTable): Application | null {
    const shown = this.#shown.get(connection);
    if (shown !== undefined && shown.table === table && isSame(shown, token)) return shown.application;
    const application = table.authenticate(token);
    if (application !== null) this.#onLogin(application);
    if (application !== null && token.length <= apiLimits.rememberedTokenBytes) {
      this.#remember(connection, {
        token: Buffer.from(token, "latin1"),
        scratch: Buffer.alloc(token.length),
        table,
        application,
      });
    }
    return application;
  }

  #remember(connection: Socket, shown: Shown): void {
    const before = this.#shown.get(connection);
    if (before === undefined) connection.once("close", () => this.#shown.get(connection)?.token.fill(0));
    else before.token.fill(0);
    this.#shown.set(connection, shown);
  }
}

/** Header values are Latin-1 by Node's own reading of them: a byte for each character. */
function isSame({ token, scratch }: Shown, shown: string): boolean {
  if (shown.length !== token.length) return false;
  scratch.write(shown, "latin1");
  const same = timingSafeEqual(scratch, token);
  scratch.fill(0);
  return same;
}
