import type { VerifyOptions } from "../audit/index.ts";
import { type CommandModule, dataPath, wholeNumber, withData } from "../frame/index.ts";

/** `tidegate audit tail | checkpoint | export | archive | verify`. */
export const auditCommand: CommandModule = (program, frame) => {
  const audit = program.command("audit").description("read and verify audit logs");
  withData(audit.command("tail"))
    .description("print the newest entries of a running node's audit log")
    .option("--follow", "go on printing entries as they come")
    .option("--lines <count>", "how many entries to begin with", wholeNumber("--lines"), 20)
    .action(async (options: { data?: string; follow?: boolean; lines: number }) => {
      const { tailLog } = await import("../audit/index.ts");
      await tailLog(frame, options);
    });
  withData(audit.command("checkpoint"))
    .description("print the newest signed checkpoint of a node's log: an anchor to be kept elsewhere")
    .option("--qr", "also show it as a QR code")
    .option("--qr-png <file>", "also write it as a QR code into this PNG file")
    .action(async (options: { data?: string; qr?: boolean; qrPng?: string }) => {
      const { showCheckpoint } = await import("../audit/index.ts");
      await showCheckpoint(frame, dataPath(frame, "edge", options), options);
    });
  withData(audit.command("export <mount>"))
    .description("seal the running node's log and copy it to a medium for an auditor, with proofs and a summary")
    .option("--since <entry>", "leave out what is known already: an entry's index, or the file of an earlier checkpoint")
    .option("--person <name>", "who carries the medium; stands in the audit log")
    .action(async (mount: string, options: { data?: string; since?: string; person?: string }) => {
      const { exportLog } = await import("../audit/index.ts");
      await exportLog(frame, mount, options);
    });
  withData(audit.command("archive <mount>"))
    .description("move the old part of the running node's log to a medium: written, read back and verified, then freed here")
    .option("--keep <entries>", "newest entries that stay at the node as well", wholeNumber("--keep"), 1000)
    .option("--person <name>", "who carries the medium; stands in the audit log")
    .option("--accept-cache", "take a medium that can only be read back through this machine's memory")
    .action(async (mount: string, options: { data?: string; person?: string; keep: number; acceptCache?: boolean }) => {
      const { archiveLog } = await import("../audit/index.ts");
      await archiveLog(frame, mount, options);
    });
  audit
    .command("verify <path>")
    .description("verify an audit log alone and offline; exit code 0 only where every entry is sealed and unchanged")
    .option("--anchor <file>", "an earlier checkpoint of the log, kept elsewhere; may be given more than once", collect, [])
    .option("--vault-id <hex>", "the vault that must vouch for the node, as 'vault init' printed it")
    .option("--since <entry>", "the copy begins there and that is right: an index, or the file of a checkpoint")
    .option("--archive <path>", "a medium with entries that were archived; may be given more than once", collect, [])
    .option("--qr", "print the verified checkpoint, also as a QR code, to keep on paper")
    .action(async (path: string, options: VerifyOptions) => {
      const { verifyLogs } = await import("../audit/index.ts");
      await verifyLogs(frame, path, options);
    });
};

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}
