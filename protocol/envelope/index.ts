export { type Carrier, decodeCarrier, encodeCarrier } from "./carrier.ts";
export {
  decodeEnvelope,
  type Envelope,
  type EnvelopeSignature,
  encodeEnvelope,
  envelopeId,
  expectType,
  issueEnvelope,
  signEnvelope,
  verifyEnvelope,
} from "./envelope.ts";
export { ENVELOPE_CODES, EnvelopeError } from "./envelope-error.ts";
export { maxBodyBytes, maxCarrierBytes, maxCarrierStatements, maxEnvelopeBytes, maxRootEnvelopeBytes } from "./limits.ts";
export { type EnvelopeType, pae, typeText } from "./pae.ts";
