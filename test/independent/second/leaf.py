"""Leaves of an audit log (SPEC.md section 15.1)."""

import json
import re
from dataclasses import dataclass
from typing import Any

from .refused import Refused
from .text_forms import MAX_NUMBER, strict_base32, utf16_length

MAX_LEAF_BYTES = 8192
MEMBERS = (
    "v", "log", "index", "time", "wallMs", "boot", "sinceBootMs", "node",
    "action", "actor", "subject", "outcome", "code", "details",
)  # fmt: skip
OUTCOMES = ("ok", "denied", "failed", "unknown")

_WORD = r"[a-z][a-z0-9-]{0,31}"
_ACTION = re.compile(rf"{_WORD}\.{_WORD}", re.ASCII)
_KIND = re.compile(_WORD, re.ASCII)
_CODE = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_DETAIL = re.compile(r"[a-z][A-Za-z0-9]{0,31}", re.ASCII)


@dataclass(frozen=True)
class Leaf:
    """What the verifier needs of a leaf."""

    log: int
    index: int
    node: str
    action: str
    outcome: str
    details: dict[str, Any]


def parse_leaf(data: bytes) -> Leaf:
    """Parses, checks, spells again and compares; AUDIT_LEAF_MALFORMED else."""
    try:
        if len(data) > MAX_LEAF_BYTES or any(byte < 0x20 or byte > 0x7E for byte in data):
            raise ValueError
        value = json.loads(data)
        _check(value)
        if _spell(value).encode("ascii") != data:
            raise ValueError
    except (ValueError, RecursionError):
        raise Refused("AUDIT_LEAF_MALFORMED") from None
    return Leaf(value["log"], value["index"], value["node"], value["action"], value["outcome"], value["details"])


def _need(condition: bool) -> None:
    if not condition:
        raise ValueError


def _check(value: Any) -> None:
    _need(isinstance(value, dict) and tuple(value) == MEMBERS)
    _need(_is_number(value["v"]) and value["v"] == 1)
    _need(all(_is_number(value[name]) for name in ("log", "index", "wallMs", "sinceBootMs")))
    _check_time(value["time"])
    _need(_is_text(value["boot"], 64))
    _need(isinstance(value["node"], str) and len(value["node"]) == 32)
    _need(strict_base32(value["node"]) is not None)
    _need(isinstance(value["action"], str) and _ACTION.fullmatch(value["action"]) is not None)
    for name in ("actor", "subject"):
        party = value[name]
        _need(isinstance(party, dict) and tuple(party) == ("kind", "id"))
        _need(isinstance(party["kind"], str) and _KIND.fullmatch(party["kind"]) is not None)
        _need(_is_text(party["id"], 400))
    _need(value["outcome"] in OUTCOMES)
    code = value["code"]
    _need(code is None or (_is_text(code, 64) and _CODE.fullmatch(code) is not None))
    _check_details(value["details"])


def _check_time(time: Any) -> None:
    _need(isinstance(time, list) and len(time) == 2 and _is_number(time[0]))
    _need(time[1] is None or (_is_number(time[1]) and time[1] >= time[0]))


def _check_details(details: Any) -> None:
    _need(isinstance(details, dict) and len(details) <= 16 and list(details) == sorted(details))
    for name, value in details.items():
        _need(_DETAIL.fullmatch(name) is not None)
        _need(isinstance(value, bool) or _is_number(value) or _is_text(value, 256))


def _is_number(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_NUMBER


def _is_text(value: Any, limit: int) -> bool:
    if not isinstance(value, str) or any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        return False
    return utf16_length(value) <= limit


def _spell(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return '"' + "".join(map(_spell_unit, value)) + '"'
    if isinstance(value, list):
        return "[" + ",".join(map(_spell, value)) + "]"
    return "{" + ",".join(f"{_spell(name)}:{_spell(item)}" for name, item in value.items()) + "}"


def _spell_unit(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
