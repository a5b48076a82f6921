/** Why there is no session. Up to `sent: false` no secret has left. */
export type LoginFailure =
  | { readonly kind: "unreachable" | "dropped" | "silent" | "algorithms" | "no method" | "free entry" | "odd prompt" }
  /** Another host key than the expected one. */
  | { readonly kind: "identity" }
  /** The device answered the method that carried the secret with a failure. */
  | { readonly kind: "refused" }
  /** It took the secret and asks for something more. */
  | { readonly kind: "partial" }
  | { readonly kind: "expired" }
  /** The secret left, and no answer to it came. */
  | { readonly kind: "no answer" };
