export { Mailboxes, type MailboxSummary } from "./mailboxes.ts";
export { type PassingItem, verifyPassing, type Way } from "./passing-item.ts";
