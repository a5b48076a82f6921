export { snmpAdapter } from "./snmp-adapter.ts";
export { keyChange, localizedKey, privacyKey } from "./usm-keys.ts";
