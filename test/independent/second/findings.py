"""What a verifier can find in a log, and the order in which it tells it (SPEC.md section 15.6)."""

from collections.abc import Iterable
from dataclasses import dataclass

CLASSES = ("EDIT", "DELETE", "REORDER", "TRUNCATED", "FORK", "EPOCH-GAP", "KEY-EPOCH", "UNSEALED-TAIL")
FIRST_EXIT_CODE = 101


@dataclass(frozen=True)
class Finding:
    """A class of finding and the index where it is."""

    kind: str
    index: int


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By index and then by class; two of a kind stay two."""
    return sorted(findings, key=lambda finding: (finding.index, CLASSES.index(finding.kind)))


def exit_code(findings: Iterable[Finding]) -> int:
    """0 without a finding, else 101 for EDIT to 108 for UNSEALED-TAIL, the lowest that was found."""
    return min((FIRST_EXIT_CODE + CLASSES.index(finding.kind) for finding in findings), default=0)
