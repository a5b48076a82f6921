const strangeMedium = "No node writes such a thing: keep the medium as evidence, and use another one.";

const heldEdge =
  "Nothing is issued to the edge of its zone: 'tidegate alarm list' says why, and New keys for a node in docs/operations.md what to do.";

/** What to do about an error whose thrower cannot know the command line; one that brings a hint keeps its own. */
const hints: Readonly<Record<string, string>> = {
  API_NO_VALUE:
    "The path is granted, and this node holds nothing for it. Is it spelled right, has it a password ('tidegate credential show PATH' at the vault), and does 'tidegate status' here say that the vault was heard?",
  FLEET_CANARY_FAILED:
    "'tidegate device show' says what its edge reported. Put the cause right before anything else is rotated.",
  FLEET_MEMBER_UNKNOWN:
    "No known password logs in there. Nothing else was begun: 'tidegate device show' and 'tidegate status' at the edge say what the device answered.",
  INGEST_CLONE: heldEdge,
  INGEST_LOG_FORK: heldEdge,
  INGEST_STORE_BEHIND:
    "The vault's store is older than what it once said: 'tidegate vault raise-epoch', then 'tidegate vault recover-escrow'.",
  LEDGER_FORK: heldEdge,
  LINK_JOIN_REFUSED:
    "A code works once, for an hour, and for the node that it was made for: get a new one with 'tidegate vault enroll', and see the vault's log.",
  MEDIA_INCOMPLETE: "It was pulled before 'safe to remove'. Write it again, or take the next one: that one has it all.",
  MEDIA_LINK: strangeMedium,
  MEDIA_NAME: strangeMedium,
  MEDIA_NOT_PLAIN: strangeMedium,
  MEDIA_TOO_LARGE: strangeMedium,
  MEDIA_TOO_MANY: strangeMedium,
  REQUEST_NO_ROUTE: "The node in this folder is of another kind: name the right one with --data DIR.",
  ROTATION_BUSY: "'tidegate status' at the edge shows what is under way.",
  ROTATION_ESCROW_DUE:
    "The vault was restored: nothing is rotated before it knows what the edge holds. 'tidegate node list' shows whether the edge has told it; then 'tidegate vault recover-escrow'.",
  ROTATION_HELD: "See QUARANTINE in docs/operations.md; after a look at the cause: 'tidegate edge release PATH'.",
  ROTATION_NOT_NOW: "'tidegate status' at the edge shows the account's state: retry is for UNKNOWN, release for QUARANTINE.",
  ROTATION_UNKNOWN:
    "No known password logs in, and nothing is tried any more. 'tidegate status' at the edge shows what the device said; then 'tidegate credential set PATH' with what is live, or 'tidegate edge retry PATH' once the device is put right.",
  TRUST_ROOT_SIGNATURES:
    "'tidegate root show' says how many root keys it takes: have a draft signed where they are ('tidegate root rotate --draft', 'root sign', 'root apply').",
};

/** The hint for an error code, or undefined where there is none. */
export function hintOf(code: string): string | undefined {
  return Object.hasOwn(hints, code) ? hints[code] : undefined;
}
