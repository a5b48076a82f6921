#!/usr/bin/python3
"""Verifies the folder of an audit log, or an export of one, with the second implementation beside this file.

Usage: verify_audit.py FOLDER [--from ENTRY] [--anchor NOTE]... [--archive FOLDER]... [--vault ID] [--json]
       verify_audit.py --each: reads such arguments as JSON lists, one a line, and answers each with its exit code and output as a line of JSON
Ends with 0 where the log is good, 101 for EDIT to 108 for UNSEALED-TAIL (the lowest that was found), 65 where files beside it are not good
without a finding, and 1 where it cannot be verified.
"""

import argparse
import contextlib
import io
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from second.export import Report, verify_path
from second.findings import exit_code
from second.folder import Auditor, FolderError
from second.refused import Refused


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description="Verifies an audit log or an export of one.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--from", dest="first", type=int, default=0, help="first entry of a copy that begins later")
    parser.add_argument("--anchor", action="append", type=Path, default=[], help="a head that another party kept")
    parser.add_argument("--archive", action="append", type=Path, default=[], help="a folder of the same log on a medium")
    parser.add_argument("--vault", type=bytes.fromhex, help="the vault's id in hexadecimal")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args(arguments)


def show(report: Report, as_json: bool) -> None:
    """Prints a report."""
    findings = [{"code": finding.kind, "index": finding.index} for finding in report.findings]
    if as_json:
        answer = {"entries": report.entries, "sealedSize": report.sealed_size}
        print(json.dumps(answer | {"findings": findings, "problems": report.problems}))
        return
    print(f"{report.entries} entries, {report.sealed_size} of them sealed")
    for finding in report.findings:
        print(f"{finding.kind} {finding.index}")
    for problem in report.problems:
        print(f"problem: {problem}")


def main(arguments: list[str]) -> int:
    """Verifies a folder; the exit code."""
    options = parse_arguments(arguments)
    try:
        report = verify_path(options.folder, options.first, Auditor(options.anchor, options.vault, options.archive))
    except (FolderError, Refused, OSError) as error:
        print(f"cannot verify: {error}", file=sys.stderr)
        return 1
    show(report, options.json)
    return exit_code(report.findings) or (65 if report.problems else 0)


def each() -> int:
    """Verifies what standard input names, line by line: starting Python takes longer than most verifications."""
    for line in sys.stdin:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(json.loads(line))
        print(json.dumps({"exit": code, "stdout": out.getvalue(), "stderr": err.getvalue()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(each() if sys.argv[1:] == ["--each"] else main(sys.argv[1:]))
