import t from "tap";
import { type ForwardTarget, forwardShape } from "../../../agent/config/index.ts";
import { inputProblems } from "../../../agent/http/index.ts";
import { edgeConfigSchema } from "../../../edge/index.ts";
import { gatewayConfigSchema } from "../../../gateway/index.ts";
import { vaultConfigSchema } from "../../../vault/index.ts";

const file = (changes: object = {}) => ({
  name: "siem",
  format: "json",
  to: "file",
  path: "/var/log/tidegate.jsonl",
  ...changes,
});
const tls = (changes: object = {}) => ({
  name: "siem",
  format: "rfc5424",
  to: "tls",
  address: "siem:6514",
  ca: "/etc/ca.pem",
  ...changes,
});
const many = (count: number) => Array.from({ length: count }, (_, number) => file({ name: `siem-${number}` }));

t.test("each kind of node may forward to collectors, and none does unless it is told to", async (t) => {
  const forward = [tls({ certificate: "/etc/own.pem", key: "/etc/own.key" }), file({ name: "second" })];
  t.same(edgeConfigSchema.parse({ gateway: null }).forward, []);
  for (const config of [
    edgeConfigSchema.parse({ gateway: null, forward }),
    gatewayConfigSchema.parse({ vault: null, forward }),
    vaultConfigSchema.parse({ tunnel: { listen: "127.0.0.1:1" }, forward }),
  ]) {
    t.match(config.forward, [
      { to: "tls", serverName: null, from: "start" },
      { to: "file", maxMib: 256 },
    ] as Partial<ForwardTarget>[]);
  }
});

t.test("what cannot be meant is refused", async (t) => {
  const cases: [string, object[], boolean][] = [
    ["none", [], true],
    ["four", many(4), true],
    ["five", many(5), false],
    ["two of one name", [file(), tls()], false],
    ["a name of 32", [file({ name: "n".repeat(32) })], true],
    ["a name of 33", [file({ name: "n".repeat(33) })], false],
    ["a name for a path", [file({ name: "../siem" })], false],
    ["a certificate without its key", [tls({ certificate: "/etc/own.pem" })], false],
    ["a key without its certificate", [tls({ key: "/etc/own.key" })], false],
    ["TLS without an authority", [{ ...tls(), ca: undefined }], false],
    ["an address without a port", [tls({ address: "siem" })], false],
    ["a format that nobody knows", [file({ format: "leef" })], false],
    ["a way that nobody knows", [file({ to: "udp" })], false],
    ["a file without room", [file({ maxMib: 0 })], false],
    ["a file of one mebibyte", [file({ maxMib: 1 })], true],
    ["a file beyond the limit", [file({ maxMib: 65_537 })], false],
    ["a file below wherever the node is started", [file({ path: "events.jsonl" })], false],
    ["an authority below wherever the node is started", [tls({ ca: "./ca.pem" })], false],
    ["a misspelt key", [file({ form: "start" })], false],
  ];
  for (const [name, targets, fits] of cases) t.equal(forwardShape.safeParse(targets).success, fits, name);
  const said: [target: object, path: string, expected: RegExp][] = [
    [file({ path: undefined }), "[0].path", /absolute path/],
    [file({ to: "unix", path: "x" }), "[0].path", /absolute path/],
    [file({ to: "udp" }), "[0].to", /tls, tcp, unix, file/],
    [file({ to: undefined }), "[0].to", /tls, tcp, unix, file/],
  ];
  for (const [target, path, expected] of said) {
    const issues = forwardShape.safeParse([target]).error?.issues ?? [];
    t.match(inputProblems(issues, [target]), [{ path, expected }], JSON.stringify(target));
  }
  t.throws(() => edgeConfigSchema.parse({ gateway: null, proxy: { inspectionCa: "ca.pem" } }));
});

t.test(
  "a pattern of what is kept in memory only names a zone, a device or an account; one that could cover nothing is refused",
  async (t) => {
    const cases: [pattern: string, fits: boolean][] = [
      ["plant", true],
      ["plant/pump", true],
      ["plant/*/operator", true],
      ["plant/pump/**", true],
      ["plant/pump/operator/**", false],
      ["plant/pump/operator/more", false],
      ["plant//operator", false],
    ];
    for (const [pattern, fits] of cases)
      t.equal(edgeConfigSchema.safeParse({ gateway: null, memoryOnly: [pattern] }).success, fits, pattern);
  },
);
