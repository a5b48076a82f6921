/** SNMP-FRAMEWORK-MIB::snmpEngineID.0 */
export const snmpEngineId = "1.3.6.1.6.3.10.2.1.1.0";

/** SNMP-USER-BASED-SM-MIB::usmUserSpinLock.0 */
export const usmUserSpinLock = "1.3.6.1.6.3.15.1.2.1.0";

/** The counters that a Report names; the next number says which (RFC 3414 section 5, usmStats). */
export const usmStats = "1.3.6.1.6.3.15.1.1";

const usmUserEntry = "1.3.6.1.6.3.15.1.2.2.1";

/** Columns of usmUserTable: a user may write the "own" ones and the public one in its own row. */
const usmUserColumn = {
  securityName: 3,
  cloneFrom: 4,
  authKeyChange: 6,
  ownAuthKeyChange: 7,
  privKeyChange: 9,
  ownPrivKeyChange: 10,
  public: 11,
  status: 13,
} as const;

/** The object of one column in the row of `username` at `engineId`. */
export function usmUserObject(column: keyof typeof usmUserColumn, engineId: Uint8Array, username: string): string {
  const name = Buffer.from(username, "utf8");
  return [usmUserEntry, usmUserColumn[column], engineId.length, ...engineId, name.length, ...name].join(".");
}
