#!/usr/bin/env -S node --min-semi-space-size=16
// Plain JavaScript for any Node. Tidegate needs Node 24.8 or later; on an older one this starts the Node that the
// package brought along, with the same arguments, passes signals on and returns its exit code.
// Both with a young generation of 16 MiB: V8 begins with one and stays below four where nothing lives long, so that a node under load
// collected sixty times a second, each time for all readers that wait. Only Node's command line can say so.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const main = join(here, "dist", "cli", "main.js");
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > 24 || (major === 24 && minor >= 8)) {
  await import(main);
} else {
  const node = packagedNode();
  if (node === null) {
    console.error(
      `tidegate: Node 24.8 or later is needed; this is ${process.versions.node} and no packaged Node fits this machine`,
    );
    console.error("hint: install Node 24, or reinstall tidegate with optional dependencies.");
    process.exit(69);
  }
  const stdio = process.channel ? ["inherit", "inherit", "inherit", "ipc"] : "inherit";
  const child = spawn(node, ["--min-semi-space-size=16", main, ...process.argv.slice(2)], { stdio });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  if (process.channel) process.once("disconnect", () => child.connected && child.disconnect());
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 70);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/** The Node binary of the platform package beside us, or null. */
function packagedNode() {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const binary = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), binary);
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}
