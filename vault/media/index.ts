export { type VaultPostOptions, vaultPost } from "./vault-post.ts";
