import { z } from "zod";
import { Secret } from "../../protocol/base/index.ts";
import { type AdminRoute, adminRoute } from "../admin/index.ts";
import type { Store } from "../store/index.ts";
import { forgetProxyLogin, hasProxyLogin, saveProxyLogin } from "./proxy-login.ts";

/** Longest body: a secret as the command line takes it, in base64. */
const maxBase64 = 24_576;

/** Sets, shows the presence of, and forgets the login for the HTTP proxy; the next dial uses it. */
export function proxyLoginRoutes(store: Store): AdminRoute[] {
  const present = () => ({ login: hasProxyLogin(store) });
  return [
    adminRoute({ method: "GET", path: "/v1/proxy-login", handle: present }),
    adminRoute({
      method: "POST",
      path: "/v1/proxy-login",
      body: z.strictObject({ login: z.base64().max(maxBase64).nullable() }),
      handle({ body }) {
        if (body.login === null) {
          forgetProxyLogin(store);
          return present();
        }
        const bytes = Buffer.from(body.login, "base64");
        const login = new Secret(bytes);
        bytes.fill(0);
        try {
          saveProxyLogin(store, login);
        } finally {
          login.wipe();
        }
        return present();
      },
    }),
  ];
}
