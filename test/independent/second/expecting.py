"""Helpers of the vector checks: a case runs, and either gives its output or is refused with its code."""

from typing import Any

Case = dict[str, Any]


class Differs(Exception):
    """An output is another one than the vector says."""


def expect_equal(what: str, found: object, expected: object) -> None:
    """Raises Differs where two values are not the same."""
    if found != expected or type(found) is not type(expected):
        raise Differs(f"{what}: found {_short(found)}, expected {_short(expected)}")


def from_hex(case: Case, name: str) -> bytes:
    """The bytes of a field."""
    return bytes.fromhex(case[name])


def all_from_hex(case: Case, name: str) -> list[bytes]:
    """The byte strings of a list field."""
    return [bytes.fromhex(item) for item in case[name]]


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
