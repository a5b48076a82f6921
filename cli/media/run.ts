import { callAdmin } from "../../agent/admin/index.ts";
import { dataFolderAt, type NodeRole, readRunFile } from "../../agent/data-folder/index.ts";
import { CliError, dataPath, exitCodes, type Frame } from "../frame/index.ts";
import { hintLines } from "./hints.ts";
import { type InspectedFolder, inspectMedia } from "./inspect.ts";
import { loginName } from "./login.ts";
import { identifyMedium, type Medium } from "./medium.ts";
import type { CustodyInput, NodeCall } from "./node-call.ts";
import { type FolderRead, readMedia } from "./read.ts";
import { writeMedia } from "./write.ts";

interface CarryOptions {
  readonly data?: string;
  readonly person?: string;
}

/** `tidegate media write`. */
export async function runWrite(
  frame: Frame,
  mount: string,
  options: CarryOptions & { readonly node: readonly string[] },
): Promise<void> {
  const folder = runningFolder(frame, options);
  const custody = custodyOf(mount, options);
  const recipients = await recipientsOf(folder, options.node);
  const bar = progressOf(frame, "writing");
  try {
    const written = await writeMedia({ call: callOf(folder), mount, custody, recipients, onStep: bar.update });
    bar.end();
    frame.output.result({ ...written, medium: custody.medium }, ({ files, bytes, leftOut, readBackFrom }) => [
      `${mount} (${mediumText(custody.medium)}): ${counted(files)}, ${bytes} bytes, written and read back equal`,
      ...(readBackFrom === "cache" ? ["read back through this machine's memory: the file system cannot read past it"] : []),
      ...(leftOut > 0 ? [`left out: ${leftOut}, acknowledged meanwhile, too large, or for the next medium`] : []),
      "safe to remove",
    ]);
  } finally {
    bar.end();
  }
}

/** `tidegate media read`. */
export async function runRead(frame: Frame, mount: string, options: CarryOptions): Promise<void> {
  const folder = runningFolder(frame, options);
  const custody = custodyOf(mount, options);
  const bar = progressOf(frame, "reading");
  let folders: FolderRead[];
  try {
    folders = await readMedia({ call: callOf(folder), mount, custody, onFile: bar.update });
  } finally {
    bar.end();
  }
  frame.output.result({ medium: custody.medium, folders }, (result) => [
    `${mount} (${mediumText(result.medium)})`,
    ...result.folders.flatMap(readLines),
  ]);
  if (folders.some(({ refused }) => refused !== null)) frame.exit(exitCodes.badData);
  else if (folders.some(({ refusals }) => refusals.length > 0)) frame.exit(exitCodes.negative);
}

/** `tidegate media inspect`. */
export async function runInspect(
  frame: Frame,
  mount: string,
  options: { readonly data?: string; readonly vaultId?: string },
): Promise<void> {
  const medium = identifyMedium(mount);
  const call = options.data === undefined ? null : callOf(runningFolder(frame, options));
  const bar = progressOf(frame, "looking");
  let folders: InspectedFolder[];
  try {
    folders = await inspectMedia({ mount, call, onFile: bar.update });
  } finally {
    bar.end();
  }
  frame.output.result({ medium, folders }, () => [`${mount} (${mediumText(medium)})`, ...folders.flatMap(inspectLines)]);
  const expected = options.vaultId?.toLowerCase();
  const other = folders.some(({ vaultId }) => expected !== undefined && vaultId !== null && vaultId !== expected);
  if (folders.some(({ refused }) => refused !== null)) frame.exit(exitCodes.badData);
  else if (other || folders.some(({ signature }) => signature !== "holds" && signature !== "joining"))
    frame.exit(exitCodes.negative);
}

function readLines(read: FolderRead): string[] {
  const { writer, refused, applied, known, held, refusals, others } = read;
  if (refused !== null) return [`${writer}: refused, ${refused.message} (${refused.code})`, ...hintLines(refused.code)];
  const kept = held > 0 ? `, ${held} wait for what comes before or for an answer` : "";
  return [
    `${writer}: ${applied} taken, ${known} known already${kept}, ${refusals.length} refused, ${others} for others`,
    ...refusals.flatMap(({ file, code }) => [`  refused ${file} (${code})`, ...hintLines(code)]),
  ];
}

function inspectLines(folder: InspectedFolder): string[] {
  const { writer, refused, name, vaultId, signature, writtenAt, files } = folder;
  if (refused !== null)
    return [`${writer}: would be refused, ${refused.message} (${refused.code})`, ...hintLines(refused.code)];
  const signed = { holds: "signature holds", joining: "a node that asks to join" }[signature] ?? `signature: ${signature}`;
  return [
    `${writer}${name === null ? "" : ` ${name}`}: whole, ${signed}, ${counted(files)}, written ${writtenAt}`,
    ...(vaultId === null ? [] : [`  vault ${vaultId}`]),
    ...files.map((file) =>
      [
        `  ${file.kind.padEnd(6)} ${file.file.slice(0, 16)}`,
        file.kind === "join" ? "to any vault that gave out its code" : `to ${file.recipient}`,
        `${file.bytes} bytes`,
        ...(file.place === null ? [] : [`${file.place}${file.snapshot ? " snapshot" : ""} of ${file.issuedAt}`]),
        ...(file.standing === null ? [] : [standingText[file.standing] ?? file.standing]),
      ].join("  "),
    ),
  ];
}

const standingText: Readonly<Record<string, string>> = {
  waits: "not acknowledged",
  settled: "acknowledged",
  new: "new here",
  known: "known here",
  other: "for another node",
};

function counted(files: readonly { readonly kind: string }[]): string {
  if (files.length === 0) return "no items";
  const counts = new Map<string, number>();
  for (const { kind } of files) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}${count === 1 ? "" : "s"}`).join(", ");
}

function mediumText({ serial, label, size }: Medium): string {
  return `serial ${serial}, label ${label}, ${size === null ? "size unknown" : `${size} bytes`}`;
}

function custodyOf(mount: string, { person }: CarryOptions): CustodyInput {
  return { medium: identifyMedium(mount), login: loginName(), person: person ?? null };
}

/** The data folder that was named, else the only node that runs in one of the standard folders. */
export function runningFolder(frame: Frame, options: { readonly data?: string }): string {
  if (options.data !== undefined) return dataPath(frame, "edge", options);
  const roles: readonly NodeRole[] = ["vault", "gateway", "edge"];
  const folders = roles.map((role) => dataPath(frame, role, options));
  const [running, another] = folders.filter((each) => readRunFile(dataFolderAt(each)) !== null);
  if (running !== undefined && another === undefined) return running;
  throw new CliError("CLI_USAGE", running === undefined ? "no node runs here" : "several nodes run here", {
    hint: "Name the node's folder with --data DIR.",
  });
}

/** Node ids for the names that were given; a node's id is taken as it is. */
async function recipientsOf(folder: string, names: readonly string[]): Promise<string[]> {
  if (names.length === 0) return [];
  const nodes = (await callAdmin(folder, { method: "GET", path: "/v1/nodes" })) as { name: string; nodeId: string }[];
  return names.map((name) => {
    const found = nodes.find((each) => each.name === name || each.nodeId === name);
    if (found !== undefined) return found.nodeId;
    throw new CliError("CLI_USAGE", `there is no node ${name}`, { hint: "List them with 'tidegate node list'." });
  });
}

function callOf(folder: string): NodeCall {
  return (path, body) => callAdmin(folder, { method: "POST", path: `/v1/media/${path}`, body });
}

interface Bar {
  update(done: number, total: number): void;
  end(): void;
}

function progressOf(frame: Frame, label: string): Bar {
  let bar: ReturnType<Frame["progress"]> | null = null;
  let over = 0;
  return {
    update(done, total) {
      // Each folder of a medium has its own bar.
      if (total !== over) bar?.end();
      bar = bar === null || total !== over ? frame.progress(label, total) : bar;
      over = total;
      bar.update(done);
    },
    end: () => bar?.end(),
  };
}
