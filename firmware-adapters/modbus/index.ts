export { modbusAdapter } from "./modbus-adapter.ts";
