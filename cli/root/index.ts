export { changedRoot, type RootChange } from "./change.ts";
export { ROOT_CODES, RootError } from "./codes.ts";
export { draftEnvelope, mergeDrafts, newDraft, type RootDraft, readDraft, signDraft, signedBy, writeDraft } from "./draft.ts";
export { openKeyFile, openRootKeys } from "./key-file.ts";
export { readRootsFile } from "./root-file.ts";
export { draftLines, draftView, rootLines, rootView } from "./view.ts";
