"""Paths of tiles and entry bundles as C2SP tlog-tiles spells them (SPEC.md section 15.2)."""

import re
from dataclasses import dataclass

from .leaf import MAX_LEAF_BYTES
from .refused import Refused

TILE_WIDTH = 256

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True)
class TilePlace:
    """Level (or "entries"), index and width of a tile."""

    level: int | str
    index: int
    width: int


def parse_tile_path(path: str) -> TilePlace:
    """What a path names; AUDIT_TILE_PATH where it is spelt in another way."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise Refused("AUDIT_TILE_PATH")
    level: int | str = match[1] if match[1] == "entries" else int(match[1])
    groups = match[2].replace("x", "").split("/")
    width = int(match[3]) if match[3] else TILE_WIDTH
    leading_zeros = len(groups) > 1 and groups[0] == "000"
    too_deep = isinstance(level, int) and level > 63
    if leading_zeros or too_deep or (match[3] and width >= TILE_WIDTH):
        raise Refused("AUDIT_TILE_PATH")
    return TilePlace(level, int("".join(groups)), width)


def tile_path(place: TilePlace) -> str:
    """The one spelling of a tile's path."""
    digits = str(place.index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    partial = f".p/{place.width}" if place.width < TILE_WIDTH else ""
    return f"tile/{place.level}/{name}{partial}"


def split_bundle(data: bytes) -> tuple[list[bytes], bool]:
    """The entries that can be read out of a bundle, and whether there is nothing wrong with it."""
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < TILE_WIDTH:
        length = int.from_bytes(data[at : at + 2], "big")
        if at + 2 + length > len(data) or length > MAX_LEAF_BYTES:
            break
        entries.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    return entries, at == len(data) and len(entries) > 0


def parse_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle; AUDIT_TILE_MALFORMED where anything is wrong with it."""
    entries, whole = split_bundle(data)
    if not whole:
        raise Refused("AUDIT_TILE_MALFORMED")
    return entries
