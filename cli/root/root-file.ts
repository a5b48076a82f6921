import { asBytesUpTo, asList, concat, decodeTcbor } from "../../protocol/base/index.ts";
import { CliError, readLimited } from "../frame/index.ts";

const mostRoots = 1_000;
const mostRootBytes = 65_536;

/** Root envelopes as every node keeps them in `audit/0/roots.cbor`. Throws CLI_FILE. */
export function readRootsFile(path: string): Uint8Array[] {
  try {
    const value = decodeTcbor(concat(readLimited(path, mostRoots * mostRootBytes)));
    return asList(value, "roots", mostRoots).map((each) => asBytesUpTo(each, "root", mostRootBytes));
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError("CLI_FILE", `${path} is no roots.cbor of a node`, {
      cause,
      hint: "Every node keeps one in its data folder: audit/0/roots.cbor.",
    });
  }
}
