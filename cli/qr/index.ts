export { giveQr, type QrOptions } from "./give-qr.ts";
export { qrLines, qrPng } from "./qr.ts";
