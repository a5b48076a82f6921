#!/usr/bin/python3
"""Runs the vectors of the protocol against the second implementation beside this file.

Usage: check_vectors.py [FOLDER OF VECTORS | FILE.json ...]
Prints what failed and `N passed, N failed`; ends with 1 where anything failed.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

sys.dont_write_bytecode = True

from second.check_audit import AUDIT_CHECKS
from second.check_bundle import BUNDLE_CHECKS
from second.check_items import MEDIA_CHECKS, NOTICE_CHECKS
from second.check_join import JOIN_CHECKS
from second.check_keys import KEY_CHECKS
from second.check_seal import SEAL_CHECKS
from second.check_tcbor import TCBOR_CHECKS
from second.check_trust import TRUST_CHECKS
from second.check_tunnel import TUNNEL_CHECKS
from second.expecting import Case, Differs
from second.refused import Refused

VECTORS = Path(__file__).resolve().parents[2] / "protocol" / "vectors"

Checks = Mapping[str | None, Callable[[Case], None]]

CHECKS: dict[str, Checks] = {
    "audit.json": AUDIT_CHECKS,
    "audit-logs.json": AUDIT_CHECKS,
    "bundle.json": BUNDLE_CHECKS,
    "bundle-carrier.json": BUNDLE_CHECKS,
    "bundle-content.json": BUNDLE_CHECKS,
    "bundle-stream.json": BUNDLE_CHECKS,
    "envelope.json": TRUST_CHECKS,
    "join.json": JOIN_CHECKS,
    "keys.json": KEY_CHECKS,
    "media.json": MEDIA_CHECKS,
    "notice.json": NOTICE_CHECKS,
    "seal.json": SEAL_CHECKS,
    "tcbor.json": TCBOR_CHECKS,
    "trust.json": TRUST_CHECKS,
    "tunnel.json": TUNNEL_CHECKS,
    "x-wing.json": KEY_CHECKS,
}


def run_case(checks: Checks, case: Case) -> str | None:
    """What is wrong with a case, or None."""
    check = checks.get(case.get("kind"))
    if check is None:
        return f"no check for kind {case.get('kind')!r}"
    outcome = "ok"
    try:
        check(case)
    except Refused as refusal:
        outcome = refusal.code
    except Differs as difference:
        return str(difference)
    except Exception as error:  # noqa: BLE001 - a damaged vector fails its case and no other
        return f"{type(error).__name__}: {error}"
    return None if outcome == case["expect"] else f"found {outcome}, expected {case['expect']}"


def run_file(path: Path) -> tuple[int, int]:
    """Runs one file; the numbers of cases that passed and failed."""
    checks = CHECKS.get(path.name)
    if checks is None:
        print(f"{path.name}: no checks for this file")
        return 0, 1
    cases = json.loads(path.read_text("utf-8"))["cases"]
    failed = 0
    for case in cases:
        problem = run_case(checks, case)
        if problem is not None:
            failed += 1
            print(f"{path.name}: {case.get('name')}: {problem}")
    print(f"{path.name}: {len(cases) - failed} passed, {failed} failed")
    return len(cases) - failed, failed


def main(arguments: list[str]) -> int:
    """Runs the files that are named, or all of a folder; the exit code."""
    paths = [Path(argument) for argument in arguments] or [VECTORS]
    files = [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]
    counts = [run_file(file) for file in files]
    passed, failed = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
