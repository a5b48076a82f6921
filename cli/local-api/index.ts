export { type ApiPlace, type CredentialAnswer, readCredential } from "./read-credential.ts";
