import { callAdmin } from "../../agent/admin/index.ts";
import type { Way } from "../../agent/config/index.ts";
import {
  CliError,
  type CommandModule,
  counted,
  dataPath,
  type Frame,
  table,
  withData,
  writeSecretFile,
} from "../frame/index.ts";

interface NodeAnswer {
  readonly name: string;
  readonly role: string;
  readonly zone: string;
  readonly via: string | null;
  readonly state: string;
  readonly connected: boolean | null;
  readonly behind: number;
  readonly lastHeardAtMs: number | null;
  readonly way: Way;
  readonly poolsGivenOut: number | null;
}

interface ExposureAnswer {
  readonly name: string;
  readonly role: "gateway" | "edge";
  readonly zone: string;
  readonly accounts: readonly string[];
  readonly edges: readonly string[];
}

interface RevokeOptions {
  readonly data?: string;
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly rotate?: boolean;
}

interface RekeyOptions {
  readonly data?: string;
  readonly out?: string;
  readonly media?: true;
}

/** `tidegate node list | revoke | way | rekey`. */
export const nodeCommand: CommandModule = (program, frame) => {
  const node = program.command("node").description("gateways and edges of a vault");
  withData(node.command("list"))
    .description("list the nodes, and how far each has followed")
    .action(async (options: { data?: string }) => {
      const nodes = (await callAdmin(dataPath(frame, "vault", options), { method: "GET", path: "/v1/nodes" })) as NodeAnswer[];
      frame.output.result(nodes, (all) =>
        table([
          ["NODE", "ROLE", "ZONE", "STATE", "LINK", "FOLLOWED", "LAST HEARD"],
          ...all.map((each) => [
            each.name,
            each.role,
            each.zone,
            each.state,
            linkText(each),
            followedText(each),
            each.lastHeardAtMs === null ? "never" : new Date(each.lastHeardAtMs).toISOString(),
          ]),
        ]),
      );
    });
  withData(node.command("revoke <name>"))
    .description("end a node's membership for ever, and list what it could read")
    .option("--reason <text>", "why; stands in the audit log", "operator")
    .option("--dry-run", "revoke nothing: list what it could read")
    .option("--rotate", "of a gateway: begin to rotate what it could read, as 'fleet rotate --exposed-by' does")
    .action((name: string, options: RevokeOptions) => revoke(frame, name, options));
  withData(node.command("way <name> <way>"))
    .description("say which ways lead to a node and back, but for a stick now and then: both, down or up")
    .action(async (name: string, way: string, options: { data?: string }) => {
      const { ways } = await import("../../agent/config/index.ts");
      if (!ways.some((each) => each === way)) throw new CliError("CLI_USAGE", `a way is one of: ${ways.join(", ")}`);
      const path = `/v1/nodes/${encodeURIComponent(name)}/way`;
      const set = await callAdmin(dataPath(frame, "vault", options), { method: "PUT", path, body: { way } });
      frame.output.result(set as { way: string; missing: string | null }, (one) =>
        one.missing === null
          ? `${name}: both ways`
          : [`${name}: ${one.way}; ${one.missing}`, `set 'way: ${one.way}' in its tidegate.yaml too`],
      );
    });
  withData(node.command("rekey <name>"))
    .description("give out a code, good for one hour, with which a node gets new keys under its own id")
    .option("--media", "the request and its answer travel on media: good for thirty days")
    .option("--out <file>", "write the code to this file (0600) instead of printing it")
    .action((name: string, options: RekeyOptions) => rekey(frame, name, options));
};

async function revoke(frame: Frame, name: string, options: RevokeOptions): Promise<void> {
  const folder = dataPath(frame, "vault", options);
  const path = `/v1/nodes/${encodeURIComponent(name)}`;
  if (options.dryRun) {
    const exposure = (await callAdmin(folder, { method: "GET", path: `${path}/exposure` })) as ExposureAnswer;
    return frame.output.result(exposure, exposureLines);
  }
  const body = { reason: options.reason };
  const exposure = (await callAdmin(folder, { method: "POST", path: `${path}/revoke`, body })) as ExposureAnswer;
  const rotates = options.rotate === true && exposure.role === "gateway" && exposure.accounts.length > 0;
  const fleet = rotates
    ? ((await callAdmin(folder, { method: "POST", path: "/v1/fleet", body: { exposedBy: name } })) as { fleetId: string })
    : null;
  frame.output.result({ ...exposure, fleetId: fleet?.fleetId ?? null }, () => [
    `${exposure.role} ${name} is revoked: no session, bundle or report of it counts from now on`,
    ...exposureLines(exposure),
    ...nextLines(exposure, fleet?.fleetId ?? null),
  ]);
}

function exposureLines({ name, accounts, edges }: ExposureAnswer): string[] {
  return [
    accounts.length === 0
      ? `${name} had no password in use`
      : `${name} could read ${counted(accounts.length, "password")} in use:`,
    ...accounts.map((path) => `  ${path}`),
    ...(edges.length === 0 ? [] : [`behind it: ${edges.join(", ")}`]),
  ];
}

function nextLines({ name, role, zone, accounts, edges }: ExposureAnswer, fleetId: string | null): string[] {
  const enrol = `tidegate vault enroll ${name} --role ${role} --zone ${zone}`;
  if (fleetId !== null) return [`being rotated: tidegate fleet status ${fleetId}`];
  const after = edges.length === 0 ? [] : [`next: ${enrol}; its edges follow who bears its name`];
  if (accounts.length === 0) return after;
  return role === "gateway"
    ? [...after, `next: tidegate fleet rotate --exposed-by ${name}`]
    : [`next: ${enrol}; then: tidegate fleet rotate --zone ${zone}`];
}

async function rekey(frame: Frame, name: string, options: RekeyOptions): Promise<void> {
  const path = `/v1/nodes/${encodeURIComponent(name)}/rekey`;
  const issued = (await callAdmin(dataPath(frame, "vault", options), {
    method: "POST",
    path,
    body: { media: options.media === true },
  })) as {
    readonly code: string;
    readonly expiresAtMs: number;
  };
  const until = new Date(issued.expiresAtMs).toISOString();
  if (options.out !== undefined) {
    writeSecretFile(options.out, `${issued.code}\n`);
    const { expiresAtMs } = issued;
    return frame.output.result({ file: options.out, expiresAtMs }, ({ file }) => `the code is in ${file}, good until ${until}`);
  }
  frame.output.say(`stop ${name}, type this at 'tidegate edge|gateway rekey' there, start it again; good once, until ${until}`);
  frame.output.result(issued, ({ code }) => code);
}

/** Where nothing comes back nobody can say how far a node has followed. */
function followedText({ way, behind, poolsGivenOut: given }: NodeAnswer): string {
  if (way === "down") return `cannot say (one way), ${given ?? 0} pools given out`;
  const followed = behind === 0 ? "current" : `${behind} behind`;
  return way === "up" ? `${followed} (by stick)` : followed;
}

/** The vault knows its own tunnels only; of a node behind a gateway it knows when it was last heard. */
function linkText({ connected, via }: NodeAnswer): string {
  if (connected === null) return via === null ? "unknown" : `via ${via}`;
  return connected ? "up" : "down";
}
