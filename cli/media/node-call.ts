import type { MediaKind } from "../../protocol/media/index.ts";
import type { Medium } from "./medium.ts";

/** Calls `POST /v1/media/<path>` of the node that runs. */
export type NodeCall = (path: string, body: object) => Promise<unknown>;

/** Medium and persons, as the node's log takes them. */
export interface CustodyInput {
  readonly medium: Medium;
  readonly login: string;
  readonly person: string | null;
}

/** A file as the calls name it: hexadecimal id, recipient as text. */
export interface NamedFile {
  readonly kind: MediaKind;
  readonly id: string;
  readonly recipient: string;
}
