"""What entries and facts hold (SPEC.md section 12)."""

import re
from typing import Any

from . import tcbor
from .primitives import hmac_sha256
from .refused import Refused
from .shapes import (
    INDEX, Shape, any_of, array, ascending, boolean, both, bstr, decode_as, interval, items, null, nullable,
    require, text, uint,
)  # fmt: skip

SEGMENT = r"[a-z0-9][a-z0-9._-]{0,62}"
MAX_SECONDS = 315_360_000
MALFORMED = "CONTENT_MALFORMED"

_ID = bstr(16)
_NAME = text(1, 128)
_WORD = text(1, 64)
_SECONDS = uint(1, MAX_SECONDS)
_PATH = re.compile(rf"{SEGMENT}(/{SEGMENT}){{0,4}}", re.ASCII)
_PATTERN = re.compile(rf"(({SEGMENT}|\*)(/({SEGMENT}|\*)){{0,4}}|(({SEGMENT}|\*)/){{0,4}}\*\*)", re.ASCII)


def is_path(value: Any) -> bool:
    """1 to 5 segments."""
    return isinstance(value, str) and _PATH.fullmatch(value) is not None


def is_pattern(value: Any) -> bool:
    """A path in which segments may be wild."""
    return isinstance(value, str) and _PATTERN.fullmatch(value) is not None


def covers(pattern: str, path: str) -> bool:
    """Whether a pattern covers a path; CONTENT_PATTERN_INVALID, CONTENT_PATH_INVALID else."""
    require(is_pattern(pattern), "CONTENT_PATTERN_INVALID")
    require(is_path(path), "CONTENT_PATH_INVALID")
    wanted, segments = pattern.split("/"), path.split("/")
    if wanted[-1] == "**":
        wanted.pop()
        if len(segments) <= len(wanted):
            return False
        segments = segments[: len(wanted)]
    return len(wanted) == len(segments) and all(
        one in ("*", other) for one, other in zip(wanted, segments, strict=True)
    )


def fingerprint(key: bytes, fields: list[list[Any]]) -> bytes:
    """The keyed hash by which a version is known."""
    return hmac_sha256(key, tcbor.encode(fields))


def _named(name: str, limit: int, value: Shape, count: tuple[int, int]) -> Shape:
    """An array of [name, value], names ascending, each once."""
    pairs = array(items(text(1, limit, name), value), *count)
    return both(pairs, lambda rows: ascending([row[0].encode() for row in rows]))


def _is_utf8(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _interval_where_due(account: list[Any]) -> bool:
    return (account[4] is None) == (account[3] != 2)


_FIELDS = _named(r"[a-zA-Z][a-zA-Z0-9]{0,31}", 32, bstr(0, 4096), (1, 8))
_SETTINGS = _named(r"[a-zA-Z][a-zA-Z0-9_.-]*", 64, text(0, 512), (0, 32))
_WINDOW = items(uint(1, 127), uint(0, 1439), uint(1, 10_080))
_TIME_ZONE = text(1, 64, r"[A-Za-z][A-Za-z0-9_+/-]*")

ENTRIES: dict[int, Shape] = {
    1: items(
        _NAME, text(1, 63, SEGMENT), _NAME, text(1, 253), uint(0, 65_535), _SETTINGS, _TIME_ZONE,
        array(_WINDOW, 0, 32), boolean,
    ),
    2: both(
        items(
            _ID, is_path, text(0, 256), uint(0, 2), nullable(_SECONDS), boolean, bstr(32), boolean,
            nullable(_ID), nullable(_ID), uint(0, 3), boolean,
        ),
        _interval_where_due,
    ),
    3: items(_ID, INDEX, uint(0, 2), _FIELDS, bstr(32)),
    4: items(
        _NAME, nullable(bstr(32)), nullable(uint(0, 4_294_967_294)), array(is_pattern, 0, 256), boolean, boolean
    ),
    5: items(_ID, uint(0, 2), uint(0, 6), boolean),
    6: items(uint(0, 65_535), _ID, INDEX),
    7: items(bstr(20), _NAME),
    8: items(_NAME, both(bstr(0, 61_440), _is_utf8)),
    9: items(array(bstr(0, 8192), 1, 4)),
    10: items(_ID, is_pattern),
    11: items(is_pattern, nullable(_SECONDS), uint(0, 2), nullable(_SECONDS), boolean),
}  # fmt: skip

FACTS: dict[int, Shape] = {
    1: items(uint(0, 65_535), _ID, _WORD),
    2: items(_ID, INDEX, bstr(32), _WORD, any_of(null, _WORD), interval, items(uint(), uint())),
    3: items(_ID, text(0, 512)),
    4: items(_ID, _WORD, any_of(null, _WORD)),
    5: items(_WORD, text(0, 512), interval),
    6: items(uint(), uint()),
    7: items(_ID, INDEX),
    8: items(_ID, INDEX, _ID),
    9: items(_WORD, text(0, 512), interval),
}


def read_payload(shapes: dict[int, Shape], kind: int, payload: bytes) -> list[Any]:
    """The array in a payload; CONTENT_UNKNOWN_TYPE or CONTENT_MALFORMED else."""
    if kind not in shapes:
        raise Refused("CONTENT_UNKNOWN_TYPE")
    value: list[Any] = decode_as(payload, shapes[kind], MALFORMED)
    return value
