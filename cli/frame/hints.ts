const strangeMedium = "No node writes such a thing: keep the medium as evidence, and use another one.";

const heldEdge =
  "Nothing is issued to the edge of its zone: 'tidegate alarm list' says why, and New keys for a node in docs/operations.md what to do.";

/** What to do about an error whose thrower cannot know the command line; one that brings a hint keeps its own. */
const hints: Readonly<Record<string, string>> = {
  API_NO_VALUE:
    "The path is granted, and this node holds nothing for it. Is it spelled right, has it a password ('tidegate credential show PATH' at the vault), and does 'tidegate status' here say that the vault was heard?",
  API_PATH_INVALID: "A path is zone/device/account, as 'tidegate device list' at the vault names them.",
  API_REFUSED:
    "'tidegate app list' at the vault shows what the application may read; 'tidegate app grant NAME PATTERN' lets it read more.",
  API_UNAUTHENTICATED:
    "Is it the newest token ('tidegate app token' ends the one before), and is its application enabled and served by this node ('tidegate app list' at the vault)?",
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
  ROTATION_BACK_OFF:
    "It waits after a failure and goes on by itself: 'tidegate status' at the edge says what the device answered.",
  ROTATION_BREAK_GLASS:
    "The break-glass account of a device never changes close to another one of it. It starts by itself later.",
  ROTATION_BUDGET_SPENT:
    "The logins that the device's lockout leaves are used up for now. The edge goes on by itself once the lockout's window has passed.",
  ROTATION_BUSY: "'tidegate status' at the edge shows what is under way.",
  ROTATION_CLOCK:
    "The edge does not know the time well enough for a window: let it hear of the vault, or see 'clock' in its tidegate.yaml.",
  ROTATION_CONSUMERS_BEHIND:
    "A gateway that serves the account does not hold the next value yet; it follows once it has heard of the vault ('tidegate node list' there).",
  ROTATION_DEVICE_BUSY: "Another account of the device has its turn. Give it again in a minute.",
  ROTATION_ESCROW_DUE:
    "The vault was restored: nothing is rotated before it knows what the edge holds. 'tidegate node list' shows whether the edge has told it; then 'tidegate vault recover-escrow'.",
  ROTATION_GROUP_NOT_READY:
    "'tidegate status' at the edge names the member of its group that is not ready, and what it waits for.",
  ROTATION_HELD: "See QUARANTINE in docs/operations.md; after a look at the cause: 'tidegate edge release PATH'.",
  ROTATION_HELPER:
    "The account that makes the change is not held here, or the device refused its password: bring that one in order with 'tidegate device verify'.",
  ROTATION_IDENTITY:
    "No login has proven yet which device this is: 'tidegate edge verify PATH' at the edge, or 'tidegate device verify PATH' at the vault, then again. Where 'tidegate status' says DEVICE_IDENTITY_CHANGED another device answers there.",
  ROTATION_LOCKOUT_TOO_LOW:
    "The device locks out after two or fewer wrong logins: rotate by hand and give the password with 'tidegate credential set PATH'.",
  ROTATION_NO_RECONCILER:
    "Another account that may set this password has to be named ('tidegate device set PATH --reconcile-by ADMIN-PATH') and in order itself ('tidegate device verify ADMIN-PATH').",
  ROTATION_NO_SPACE: "Free space on the disk of the edge's data folder.",
  ROTATION_NOT_ALLOWED:
    "The account's policy is never to rotate it: 'tidegate device set PATH --rotate on-demand' at the vault changes that.",
  ROTATION_NOT_NOW: "'tidegate status' at the edge shows the account's state: retry is for UNKNOWN, release for QUARANTINE.",
  ROTATION_ON_HOLD:
    "An operator holds the device: 'tidegate edge release ZONE/DEVICE' or 'tidegate device release ZONE/DEVICE', where the hold was set.",
  ROTATION_PERMIT_NEEDED: "This edge changes nothing without a person's word: 'tidegate edge permit --for 2h'.",
  ROTATION_POOL_EMPTY:
    "No value of the vault is left here: it comes with the next bundle, over the tunnel, or by stick after a report out ('tidegate media write').",
  ROTATION_POOL_REJECTED:
    "The device refused every value by its password policy: correct the model's constraints, and the vault issues others.",
  ROTATION_SAVE_REFUSED:
    "The device took the password and does not keep it through a restart: look at its storage before it loses power.",
  ROTATION_UNKNOWN:
    "No known password logs in, and nothing is tried any more. 'tidegate status' at the edge shows what the device said; then 'tidegate credential set PATH' with what is live, or 'tidegate edge retry PATH' once the device is put right.",
  ROTATION_UNSETTLED:
    "An earlier change may still take effect on the device. The edge goes on by itself once that cannot be any more.",
  ROTATION_WINDOW_CLOSED:
    "It starts by itself in the device's next maintenance window ('tidegate device show ZONE/DEVICE' at the vault); 'tidegate device rotate PATH --now' does not wait.",
  STORE_DAMAGED:
    "Move the data folder away and keep it; enrol the node anew under its name ('tidegate vault enroll NAME'): the vault holds every password that may be live.",
  TRUST_ROOT_SIGNATURES:
    "'tidegate root show' says how many root keys it takes: have a draft signed where they are ('tidegate root rotate --draft', 'root sign', 'root apply').",
  VAULT_STORE_DAMAGED:
    "Keep the folder, check the disk ('tidegate doctor'), and put the newest good backup in place: 'tidegate vault restore FILE'.",
};

/** The hint for an error code, or undefined where there is none. */
export function hintOf(code: string): string | undefined {
  return Object.hasOwn(hints, code) ? hints[code] : undefined;
}
