import { Secret, utf8 } from "../../protocol/base/index.ts";
import type { Store } from "../store/index.ts";
import { PROXY_CODES, ProxyError } from "./errors.ts";
import { maxLoginBytes } from "./limits.ts";

const table = "proxy";
const loginId = utf8("login");

/** Keeps a login for the HTTP proxy, `user:password`, as a sealed row; the secret stays the caller's. Throws PROXY_LOGIN_MALFORMED, STORE_*. */
export function saveProxyLogin(store: Store, login: Secret): void {
  login.use((bytes) => {
    // RFC 7617 section 2: the user has no colon, and neither part a control character.
    const colon = bytes.indexOf(0x3a);
    const controls = bytes.some((byte) => byte < 0x20 || byte === 0x7f);
    if (colon < 1 || controls || bytes.length > maxLoginBytes) {
      const text = `a proxy's login is user:password on one line, at most ${maxLoginBytes} bytes`;
      throw new ProxyError(PROXY_CODES, "PROXY_LOGIN_MALFORMED", text);
    }
    store.transaction((tx) => tx.put(table, loginId, bytes));
  });
}

/** The login, to be wiped by the caller; null where there is none. Throws STORE_DAMAGED. */
export function loadProxyLogin(store: Store): Secret | null {
  const row = store.read((view) => view.get(table, loginId));
  if (row === null) return null;
  const login = new Secret(row);
  row.fill(0);
  return login;
}

/** True where a login is kept. */
export function hasProxyLogin(store: Store): boolean {
  return store.read((view) => view.count(table)) > 0;
}

/** Throws STORE_*. */
export function forgetProxyLogin(store: Store): void {
  store.transaction((tx) => tx.delete(table, loginId));
}
