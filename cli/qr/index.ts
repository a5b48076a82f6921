export { giveQr, type QrOptions } from "./give-qr.ts";
