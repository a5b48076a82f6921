import { resolve } from "node:path";
import type { Command } from "commander";
import { callAdmin } from "../../agent/admin/index.ts";
import { concat, fromHex } from "../../protocol/base/index.ts";
import {
  CliError,
  type CommandModule,
  dataPath,
  type Frame,
  givenUnlock,
  type UnlockOptions,
  withData,
  withUnlock,
} from "../frame/index.ts";

interface RotateOptions extends UnlockOptions {
  readonly draft?: string;
  readonly rootKey: readonly string[];
  readonly addKey: readonly string[];
  readonly removeKey: readonly string[];
  readonly threshold?: string;
  readonly raiseEpoch?: boolean;
  readonly keepTokens?: boolean;
}

interface RootAnswer {
  readonly root: string;
  readonly vaultId: string;
}

interface TakenAnswer {
  readonly version: number;
  readonly vaultEpoch: number;
  readonly voided: { readonly tokens: readonly string[] } | null;
}

/** `tidegate root show | key | rotate | sign | apply`. */
export const rootCommand: CommandModule = (program, frame) => {
  const root = program.command("root").description("who speaks for the vault: root keys, and how many of them it takes");
  withData(root.command("show [draft]"))
    .description("show the vault's newest root, or what a draft would change")
    .action((draft: string | undefined, options: { data?: string }) => show(frame, draft, options));
  withUnlock(root.command("key"))
    .description("make a root key in a sealed file of its own, here; its public key goes into the next root")
    .requiredOption("--out <file>", "the sealed file, a new one")
    .action((options: UnlockOptions & { out: string }) => makeKey(frame, options));
  addRotate(root, frame);
  withUnlock(root.command("sign <draft>"))
    .description("sign a draft with a root key, on any machine; the vault is not asked")
    .requiredOption("--root-key <file>", "a sealed root key; may be given more than once", collect, [])
    .action((draft: string, options: UnlockOptions & { rootKey: readonly string[] }) => sign(frame, draft, options));
  withData(root.command("apply <draft...>"))
    .description("hand a signed draft to the vault; signatures on several copies of it count together")
    .option("--keep-tokens", "where it raises the epoch: application tokens stay good")
    .action((drafts: readonly string[], options: { data?: string; keepTokens?: boolean }) => apply(frame, drafts, options));
};

function addRotate(root: Command, frame: Frame): void {
  withUnlock(root.command("rotate"))
    .description("the next root: other keys, another threshold, a higher epoch")
    .option("--draft <file>", "write it to this file, to be signed elsewhere")
    .option("--root-key <file>", "sign here with this sealed key; may be given more than once", collect, [])
    .option("--add-key <public>", "public key of 'root key', 64 hexadecimal digits; may be given more than once", collect, [])
    .option("--remove-key <public>", "a key that signs no more; may be given more than once", collect, [])
    .option("--threshold <count>", "how many keys it takes from then on")
    .option("--raise-epoch", "void what was issued, as after a restore")
    .option("--keep-tokens", "with --raise-epoch: application tokens stay good")
    .action((options: RotateOptions) => rotate(frame, options));
}

async function show(frame: Frame, draft: string | undefined, options: { data?: string }): Promise<void> {
  const { draftLines, draftView, readDraft, rootLines, rootView } = await import("../root/index.ts");
  if (draft !== undefined) {
    const read = readDraft(draft);
    return frame.output.result(draftView(read), () => draftLines(read));
  }
  const { document } = await newest(dataPath(frame, "vault", options));
  frame.output.result(rootView(document), () => rootLines(document));
}

async function makeKey(frame: Frame, options: UnlockOptions & { out: string }): Promise<void> {
  const { createSealKey } = await import("../../agent/seal-key/index.ts");
  const { machineSeams } = await import("../../agent/seams/index.ts");
  const { signingKeyFromSeed } = await import("../../protocol/keys/index.ts");
  const unlock = (await givenUnlock(frame, options, true)) ?? {
    kind: "passphrase" as const,
    passphrase: await frame.secret({ label: "passphrase of the new key", options: "--passphrase-file FILE", confirm: true }),
  };
  // The sealed file's own random key is the seed: the private key exists nowhere else.
  const seed = await createSealKey({ path: resolve(options.out), unlock, random: machineSeams().random });
  const publicKey = seed.use((bytes) => Buffer.from(signingKeyFromSeed(bytes).publicKey).toString("hex"));
  seed.wipe();
  frame.output.result({ file: options.out, publicKey }, ({ file }) => [
    `sealed root key in ${file}`,
    `public key ${publicKey}`,
  ]);
}

async function rotate(frame: Frame, options: RotateOptions): Promise<void> {
  const { changedRoot, draftLines, draftView, newDraft, openRootKeys, signDraft, writeDraft } = await import(
    "../root/index.ts"
  );
  if (options.draft === undefined && options.rootKey.length === 0)
    throw new CliError("CLI_USAGE", "name --root-key to sign here, or --draft FILE to have it signed elsewhere");
  const folder = dataPath(frame, "vault", options);
  const { envelope, document, vaultId } = await newest(folder);
  const next = changedRoot(document, vaultId, {
    add: options.addKey.map(publicKey),
    remove: options.removeKey.map(publicKey),
    threshold: options.threshold === undefined ? null : count(options.threshold),
    raiseEpoch: options.raiseEpoch === true,
  });
  let draft = newDraft(envelope, next);
  for (const key of await openRootKeys(frame, options.rootKey, await givenUnlock(frame, options, false)))
    draft = signDraft(draft, key);
  if (options.draft === undefined) return hand(frame, folder, draft, options.keepTokens === true);
  writeDraft(resolve(options.draft), draft);
  frame.output.result({ file: options.draft, ...draftView(draft) }, ({ file }) => [
    ...draftLines(draft),
    `next: tidegate root sign ${file} --root-key FILE, where each key is; then: tidegate root apply ${file}`,
  ]);
}

async function sign(frame: Frame, file: string, options: UnlockOptions & { rootKey: readonly string[] }): Promise<void> {
  const { draftLines, draftView, openRootKeys, readDraft, signDraft, writeDraft } = await import("../root/index.ts");
  let draft = readDraft(file);
  if (!frame.output.json) for (const line of draftLines(draft)) frame.output.say(line);
  for (const key of await openRootKeys(frame, options.rootKey, await givenUnlock(frame, options, false)))
    draft = signDraft(draft, key);
  writeDraft(resolve(file), draft);
  frame.output.result(draftView(draft), ({ signed }) => `signed: ${signed.old} old and ${signed.next} new keys so far`);
}

async function apply(frame: Frame, files: readonly string[], options: { data?: string; keepTokens?: boolean }): Promise<void> {
  const { mergeDrafts, readDraft } = await import("../root/index.ts");
  const [first, ...others] = files.map(readDraft);
  if (first === undefined) throw new CliError("CLI_USAGE", "name a draft");
  await hand(frame, dataPath(frame, "vault", options), mergeDrafts([first, ...others]), options.keepTokens === true);
}

async function hand(
  frame: Frame,
  folder: string,
  draft: Parameters<typeof import("../root/index.ts").draftEnvelope>[0],
  keepTokens: boolean,
): Promise<void> {
  const { draftEnvelope } = await import("../root/index.ts");
  const body = { root: Buffer.from(draftEnvelope(draft)).toString("base64"), keepTokens };
  const taken = (await callAdmin(folder, { method: "POST", path: "/v1/root", body })) as TakenAnswer;
  frame.output.result(taken, ({ version, vaultEpoch, voided }) => [
    `root ${version} counts, vault epoch ${vaultEpoch}; every node learns of it as it connects, or beside its next bundle`,
    ...(voided === null ? [] : ["next: the edges send what they hold; then: tidegate vault recover-escrow"]),
    ...(voided === null || voided.tokens.length === 0
      ? []
      : [`new tokens: tidegate app token NAME, for ${voided.tokens.join(", ")}`]),
  ]);
}

async function newest(folder: string) {
  const { decodeEnvelope } = await import("../../protocol/envelope/index.ts");
  const { decodeRoot } = await import("../../protocol/trust/index.ts");
  const answer = (await callAdmin(folder, { method: "GET", path: "/v1/root" })) as RootAnswer;
  const envelope = concat(Buffer.from(answer.root, "base64"));
  return {
    envelope,
    document: decodeRoot(decodeEnvelope(envelope).payload),
    vaultId: fromHex(answer.vaultId) ?? new Uint8Array(0),
  };
}

function publicKey(text: string): Uint8Array {
  const bytes = fromHex(text.toLowerCase());
  if (bytes?.length === 32) return bytes;
  throw new CliError("CLI_USAGE", "a public key has 64 hexadecimal digits, as 'tidegate root key' prints it");
}

function count(text: string): number {
  if (/^\d{1,2}$/.test(text)) return Number(text);
  throw new CliError("CLI_USAGE", "--threshold takes a number of keys");
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
