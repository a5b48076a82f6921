/** Every adapter that a model may name. */
export const adapterNames = ["modbus", "snmp", "ssh"] as const;

export type AdapterName = (typeof adapterNames)[number];
