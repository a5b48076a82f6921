import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import type { Test } from "tap";
import { findProgram } from "../peers/peer-process.ts";
import type { Peer } from "../peers/peer-suite.ts";
import { isAlive } from "./processes.ts";

const ip = findProgram("ip") ?? "ip";
const nft = findProgram("nft") ?? "nft";

/** Names of namespaces begin so; the id of the test's process follows. */
const prefix = "tgz";

/** The zones need root, `ip` and `nft`, and a kernel that makes namespaces. */
export const zonesPeer: Peer = {
  name: "network namespaces",
  packages: "iproute2 nftables (as root)",
  installed: process.getuid?.() === 0 && findProgram("ip") !== null && findProgram("nft") !== null && canMake(),
};

export type Zone = "vault" | "dmz" | "ot";
/** The wire between two zones, named after the one further in. */
export type Wire = "vault" | "ot";

const letters: Readonly<Record<Zone, string>> = { vault: "v", dmz: "d", ot: "o" };

/** Addresses of the zones: the DMZ has one on each wire. */
export const places = { vault: "10.91.1.1", dmz: "10.91.1.2", edges: "10.91.2.1", ot: "10.91.2.2" } as const;
export const ports = { vault: 7443, edges: 7444, api: 7445 } as const;

/** A connection is opened by a SYN without an ACK. */
const opens = "tcp flags & (syn | ack) == syn";

/**
 * Vault, DMZ and OT as three network namespaces with a wire from the DMZ to either. Rules in each zone let only DMZ -> vault and
 * OT -> DMZ open connections, one port each, and count whoever tries otherwise. Gone with the test, whatever happens.
 */
export class Zones {
  /** Makes them, after removing what a test that was killed left behind. */
  static make(t: Test): Zones {
    sweep();
    const zones = new Zones();
    const remove = () => zones.remove();
    process.once("exit", remove);
    t.teardown(() => {
      process.off("exit", remove);
      zones.remove();
    });
    zones.#build();
    return zones;
  }

  name(zone: Zone): string {
    return `${prefix}${process.pid}${letters[zone]}`;
  }

  /** The command that runs what follows inside a zone. */
  within(zone: Zone): string[] {
    return [ip, "netns", "exec", this.name(zone)];
  }

  /** A black hole: packets vanish, nobody is told. */
  swallow(wire: Wire): void {
    this.#rules("dmz", [
      `insert rule inet zones in iifname "${wire}0" drop`,
      `insert rule inet zones out oifname "${wire}0" drop`,
    ]);
  }

  /** Takes every black hole away. */
  pass(): void {
    this.#rules("dmz", ["flush chain inet zones in", "flush chain inet zones out", ...rulesOf("dmz")]);
  }

  /** The cable is pulled, or plugged in again. */
  cable(wire: Wire, state: "up" | "down"): void {
    run(ip, ["-n", this.name("dmz"), "link", "set", `${wire}0`, state]);
  }

  /** How many connections somebody tried to open in a direction that must not be. */
  wrongOpenings(): Record<Zone, number> {
    const count = (zone: Zone) => {
      const text = run(ip, ["netns", "exec", this.name(zone), nft, "-j", "list", "counter", "inet", "zones", "wrong"]);
      const { nftables } = JSON.parse(text) as { nftables: { counter?: { packets: number } }[] };
      return nftables.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
    };
    return { vault: count("vault"), dmz: count("dmz"), ot: count("ot") };
  }

  /** Idempotent. */
  remove(): void {
    for (const zone of Object.keys(letters) as Zone[]) spawnSync(ip, ["netns", "del", this.name(zone)], { stdio: "ignore" });
  }

  #build(): void {
    for (const zone of Object.keys(letters) as Zone[]) {
      run(ip, ["netns", "add", this.name(zone)]);
      run(ip, ["-n", this.name(zone), "link", "set", "lo", "up"]);
    }
    const wires = [
      ["vault", places.vault, places.dmz],
      ["ot", places.ot, places.edges],
    ] as const;
    for (const [zone, there, here] of wires) {
      const peer = ["peer", "name", `${zone}0`, "netns", this.name("dmz")];
      run(ip, ["-n", this.name(zone), "link", "add", "dmz0", "type", "veth", ...peer]);
      for (const [side, device, address] of [
        [zone, "dmz0", there],
        ["dmz", `${zone}0`, here],
      ] as const) {
        run(ip, ["-n", this.name(side), "addr", "add", `${address}/30`, "dev", device]);
        run(ip, ["-n", this.name(side), "link", "set", device, "up"]);
      }
    }
    for (const zone of Object.keys(letters) as Zone[]) {
      const base = ["table inet zones {", "counter wrong { }"];
      for (const way of ["in", "out"]) {
        base.push(`chain ${way} {`, `type filter hook ${way}put priority 0; policy accept;`, "}");
      }
      this.#rules(zone, [...base, "}", ...rulesOf(zone)]);
    }
  }

  #rules(zone: Zone, lines: readonly string[]): void {
    run(ip, ["netns", "exec", this.name(zone), nft, "-f", "-"], `${lines.join("\n")}\n`);
  }
}

/** Who may open connections: nobody at the vault, the DMZ to the vault only, OT to the DMZ only; each to one port. */
function rulesOf(zone: Zone): string[] {
  const allowed = {
    vault: { in: [`iifname "dmz0" tcp dport ${ports.vault}`], out: [] },
    dmz: { in: [`iifname "ot0" tcp dport ${ports.edges}`], out: [`oifname "vault0" tcp dport ${ports.vault}`] },
    ot: { in: [], out: [`oifname "dmz0" tcp dport ${ports.edges}`] },
  }[zone];
  return (["in", "out"] as const).flatMap((way) => {
    const device = way === "in" ? "iifname" : "oifname";
    const rule = (text: string) => `add rule inet zones ${way} ${text}`;
    return [
      rule(`${device} "lo" accept`),
      ...allowed[way].map((text) => rule(`${text} ${opens} accept`)),
      rule(`meta l4proto tcp ${opens} counter name wrong drop`),
      rule(`meta l4proto { udp, icmp } drop`),
    ];
  });
}

function run(program: string, args: readonly string[], input = ""): string {
  return execFileSync(program, args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

/** Removes the zones of test processes that are gone. */
function sweep(): void {
  for (const name of names()) {
    const pid = new RegExp(`^${prefix}(\\d+)[vdo]$`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) spawnSync(ip, ["netns", "del", name], { stdio: "ignore" });
  }
}

function names(): string[] {
  try {
    return readdirSync("/run/netns");
  } catch {
    return [];
  }
}

function canMake(): boolean {
  const name = `${prefix}${process.pid}x`;
  const made = spawnSync(ip, ["netns", "add", name], { stdio: "ignore" }).status === 0;
  if (made) spawnSync(ip, ["netns", "del", name], { stdio: "ignore" });
  return made;
}
