export { PROXY_CODES, ProxyError } from "./errors.ts";
export { proxyLoginRoutes } from "./login-routes.ts";
export { forgetProxyLogin, hasProxyLogin, loadProxyLogin, saveProxyLogin } from "./proxy-login.ts";
export { isException, type ProxyRoute, type ProxySettings, routeOf, routeTo } from "./proxy-route.ts";
