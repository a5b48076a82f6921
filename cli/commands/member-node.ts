import { resolve } from "node:path";
import type { Command } from "commander";
import type { DataFolder, NodeRole } from "../../agent/data-folder/index.ts";
import type { ProxySettings } from "../../agent/proxy/index.ts";
import type { Unlock } from "../../agent/seal-key/index.ts";
import type { Seams } from "../../agent/seams/index.ts";
import type { Secret } from "../../protocol/base/index.ts";
import type { MemberStatement } from "../../protocol/trust/index.ts";
import {
  creatingUnlock,
  dataPath,
  type Frame,
  newDataFolder,
  type UnlockOptions,
  withData,
  withUnlock,
} from "../frame/index.ts";

interface JoinOptions extends UnlockOptions {
  readonly fromFile?: string;
  readonly fromStdin?: boolean;
  readonly media?: string;
  readonly proxy?: string;
  readonly proxyExcept?: string[];
  readonly inspectionCa?: string;
  readonly proxyLogin?: boolean;
  readonly proxyLoginFile?: string;
}

/** What a role's own join gets from the command line. */
export interface JoinInput {
  readonly folder: DataFolder;
  readonly code: string;
  readonly unlock: Unlock;
  readonly seams: Seams;
  /** Folder that a medium is mounted on, where the request goes by it. */
  readonly media: string | undefined;
  /** What stands in the way to the node that is dialled. */
  readonly proxy: ProxySettings | null;
  readonly proxyLogin: Secret | null;
  onStep(done: number, total: number): void;
}

/** `tidegate ROLE join`; the caller adds its role's own options. */
export function addJoin<Options extends UnlockOptions>(
  parent: Command,
  frame: Frame,
  role: NodeRole,
  join: (input: JoinInput, options: Options) => Promise<MemberStatement | null>,
): Command {
  return withUnlock(parent.command("join"))
    .description("join a vault with an enrolment code, taken from a file, standard input or a prompt")
    .option("--from-file <file>", "file with the enrolment code")
    .option("--from-stdin", "take the enrolment code from standard input")
    .option("--media <mount>", "write the request to a medium; the same command again takes the answer from one")
    .option("--proxy <host:port>", "dial through this HTTP proxy")
    .option("--proxy-except <where...>", "hosts, .domains and networks that are dialled without the proxy")
    .option("--inspection-ca <file>", "PEM file with the authority of a proxy that inspects TLS")
    .option("--proxy-login", "ask for the proxy's login, user:password; it is kept sealed")
    .option("--proxy-login-file <file>", "file with the proxy's login")
    .action(async (options: Options & JoinOptions) => {
      const { machineSeams } = await import("../../agent/seams/index.ts");
      const seams = machineSeams();
      const code = await frame.secret({ label: "enrolment code", fromFile: options.fromFile, fromStdin: options.fromStdin });
      const { proxy, proxyLogin } = await proxyOf(frame, options);
      const folder = newDataFolder(frame, role, options);
      const { unlock, note } = await creatingUnlock(frame, { ...options, folder, random: seams.random });
      try {
        const text = code.use((bytes) => Buffer.from(bytes).toString("utf8"));
        const { media } = options;
        const bar = frame.progress("writing", 4);
        const onStep = (done: number) => bar.update(done);
        const member = await join({ folder, code: text, unlock, seams, media, proxy, proxyLogin, onStep }, options).finally(
          () => bar.end(),
        );
        if (note !== null) frame.output.say(note);
        if (member === null) {
          const next =
            "take it to the vault ('tidegate media read', then 'media write'), and run this command again with what comes back";
          return frame.output.result({ asked: media }, () => [`the request is on ${media}, safe to remove; ${next}`]);
        }
        const { name, zone } = member;
        frame.output.result(
          { name, zone, data: folder.path },
          (one) => `joined as ${one.name} in zone ${one.zone}; data in ${one.data}`,
        );
      } finally {
        code.wipe();
        proxyLogin?.wipe();
        if (unlock.kind === "passphrase") unlock.passphrase.wipe();
      }
    });
}

/** The proxy of a join, and its login. */
async function proxyOf(
  frame: Frame,
  options: JoinOptions,
): Promise<{ readonly proxy: ProxySettings | null; readonly proxyLogin: Secret | null }> {
  const { proxy: address = null, proxyExcept: except = [], inspectionCa, proxyLoginFile } = options;
  const ca = inspectionCa === undefined ? null : resolve(inspectionCa);
  const proxy = address === null && ca === null ? null : { address, except, inspectionCa: ca };
  const asked = options.proxyLogin === true || proxyLoginFile !== undefined;
  const proxyLogin = asked
    ? await frame.secret({ label: "proxy login (user:password)", options: "--proxy-login-file", fromFile: proxyLoginFile })
    : null;
  return { proxy, proxyLogin };
}

/** `tidegate ROLE proxy-login`: the login for the HTTP proxy of a running node, kept sealed. */
export function addProxyLogin(parent: Command, frame: Frame, role: NodeRole): void {
  withData(parent.command("proxy-login"))
    .description(
      "give this running node the login for its HTTP proxy, user:password; taken from a file, standard input or a prompt",
    )
    .option("--from-file <file>", "file with user:password")
    .option("--from-stdin", "take it from standard input")
    .option("--clear", "forget the login that is kept")
    .action(async (options: { data?: string; fromFile?: string; fromStdin?: boolean; clear?: boolean }) => {
      const { callAdmin } = await import("../../agent/admin/index.ts");
      const { fromFile, fromStdin } = options;
      const secret =
        options.clear === true ? null : await frame.secret({ label: "proxy login (user:password)", fromFile, fromStdin });
      const login = secret?.use((bytes) => Buffer.from(bytes).toString("base64")) ?? null;
      secret?.wipe();
      const folder = dataPath(frame, role, options);
      const kept = await callAdmin(folder, { method: "POST", path: "/v1/proxy-login", body: { login } });
      frame.output.result(kept, () => (login === null ? "the login is forgotten" : "the login is kept; the next dial uses it"));
    });
}
