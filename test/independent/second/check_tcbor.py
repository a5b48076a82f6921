"""Runs tcbor.json."""

from . import tcbor
from .expecting import Case, expect_equal, from_hex


def check_value(case: Case) -> None:
    """A value, decoded and encoded again."""
    data = from_hex(case, "bytes")
    expect_equal("bytes", tcbor.encode(tcbor.decode(data)), data)


TCBOR_CHECKS = {"tcbor": check_value}
