export { importVerifyKey, type SigningKey, signatureLength, signingKeyFromSeed, type VerifyKey } from "./ed25519.ts";
export { KEY_CODES, KeyError } from "./key-error.ts";
export { type KeyAlgorithm, keyAlgorithm, keyIdLength, keyIdOf, nodeIdText } from "./key-id.ts";
export { isWeakEd25519, smallOrderEncodings } from "./weak-points.ts";
export {
  importSealingPublicKey,
  type SealingKey,
  type SealingPublicKey,
  sealingKeyFromSeed,
  xWingLength,
} from "./x-wing.ts";
export { type AgreementKey, agreementKeyFromSeed } from "./x25519.ts";
