import { readFileSync } from "node:fs";
import { basename, relative, resolve, sep } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";

/** Files that a process is started with, or that tests load; each keeps its place in dist/. */
const entries = [
  "cli/main",
  "cli/demo/index",
  "cli/demo/modbus-device",
  "firmware-adapters/host/child",
  "agent/audit/scan-worker",
];

/**
 * Programs that are linked each by itself: of what two entries share esbuild makes a file for every set of entries that shares it, and
 * a node that starts read 44 files. The price is code that lies in dist/ more than once.
 */
const alone = ["cli/edge-program", "cli/gateway-program"];

/** ssh2's optional native parts, and the serial ports of the Modbus library: never loaded, so never carried. */
const external = ["cpu-features", "*.node", "serialport"];

/**
 * What CommonJS libraries expect, and where a module of ours stood before it was linked: paths beside it must hold although its
 * code now lies in some chunk of dist/.
 */
const banner = `import { createRequire as __createRequire } from "node:module";
const require = __createRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;
const __moduleUrl = (path) => import.meta.url.slice(0, import.meta.url.lastIndexOf("/dist/") + 6) + path;`;

/** What was linked. */
export interface Linked {
  /** Folders of the packages whose code went in. */
  readonly packages: readonly string[];
  /** By the path of each file made, what it was made of: files of packages, and ours as they were compiled. */
  readonly files: Readonly<Record<string, readonly string[]>>;
}

/**
 * Links the compiled code in `from` with the libraries it uses into few files in `to`; what is imported later stays in chunks of its
 * own.
 */
export async function link(from: string, to: string): Promise<Linked> {
  const outputs = await Promise.all([entries, ...alone.map((entry) => [entry])].map((some) => linkSome(some, from, to)));
  const made = outputs.flatMap((output) =>
    Object.entries(output).map(([path, { inputs }]) => [relative(to, path), Object.keys(inputs)] as const),
  );
  const packages = new Set(made.flatMap(([, inputs]) => inputs.flatMap(packageFolder)));
  return { packages: [...packages].sort(), files: Object.fromEntries(made.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

async function linkSome(some: readonly string[], from: string, to: string): Promise<Metafile["outputs"]> {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(some.map((entry) => [entry, `${from}/${entry}.js`])),
    outdir: to,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    chunkNames: "chunks/[name]-[hash]",
    external: [...external, ...alone.map((entry) => `./${basename(entry)}.js`)],
    // Names stay, so that a stack can be read; Node starts a tenth sooner.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    banner: { js: banner },
    plugins: [keepModuleUrls(from), requireHttp],
    metafile: true,
    logLevel: "warning",
  });
  return metafile.outputs;
}

/** Gives each of our modules the import.meta.url that it would have had unlinked. */
function keepModuleUrls(from: string): Plugin {
  const root = resolve(from);
  return {
    name: "keep-module-urls",
    setup({ onLoad }) {
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        if (!path.startsWith(root + sep)) return undefined;
        const place = JSON.stringify(relative(root, path).replaceAll(sep, "/"));
        const text = readFileSync(path, "utf8").replaceAll("import.meta.url", `__moduleUrl(${place})`);
        // As a namespace only what is used of it is linked; its own `z` brings every language's messages along: 3 MB of a process.
        return { contents: text.replace(/^import \{ z \} from "zod";/m, 'import * as z from "zod";') };
      });
    },
  };
}

/**
 * `import … from "node:http"` reads each export of the module at once, and with it Node's HTTP/2, worker threads and fetch: 7 MB of
 * every process. `require` does not.
 */
const requireHttp: Plugin = {
  name: "require-http",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ path, kind }) =>
      kind === "require-call" ? undefined : { path, namespace: "required" },
    );
    onLoad({ filter: /.*/, namespace: "required" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

/** The folder of the package that an input belongs to; none for our own code. */
function packageFolder(input: string): readonly string[] {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input) ?? [];
}
