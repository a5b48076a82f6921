"""Headers, bodies and states of bundles and reports (SPEC.md sections 11.1 to 11.3)."""

from dataclasses import dataclass
from typing import Any

from . import tcbor
from .primitives import sha256
from .refused import Refused
from .shapes import Shape, any_of, array, ascending, both, bstr, decode_as, fields, interval, items, null, nullable, require, text, uint

DOWN, UP = 0, 1
DELTA, SNAPSHOT = 0, 1
MAX_ENTRIES = 100_000
MAX_ENTRY_BYTES = 65_536

_AUDIT_HEAD = nullable(items(uint(), uint(), bstr(32)))
_HEADER: dict[int, Shape] = {
    1: bstr(32), 2: uint(), 3: uint(0, 1), 4: bstr(20), 5: bstr(20), 6: bstr(20),
    7: items(uint(), bstr(32)), 8: uint(1), 9: bstr(32), 10: uint(0, 1), 11: uint(0, 0),
    12: any_of(uint(), interval), 13: bstr(16), 14: array(bstr(16), 0, 8),
    15: nullable(items(uint(), uint(1), bstr(32))), 16: _AUDIT_HEAD, 17: _AUDIT_HEAD,
    30: uint(1, 1), 31: bstr(1120), 32: bstr(32), 33: items(uint(), bstr(32)),
}  # fmt: skip
_BOOT = {18: items(uint(), uint())}
_CAPABILITY = text(1, 64, r"[a-z0-9][a-z0-9.:-]*")


def _window(value: Any) -> bool:
    return value is None or (items(uint(), uint())(value) and value[0] <= value[1])


_ENTRY = items(uint(0, 65_535), bstr(16), items(uint(), uint()), _window, bstr(16), bstr(0, MAX_ENTRY_BYTES))
_DROP = items(uint(0, 65_535), bstr(16))
_BODY: dict[int, Shape] = {
    1: bstr(32),
    2: bstr(32),
    3: both(array(_ENTRY, 1, MAX_ENTRIES), lambda entries: ascending([entry[:2] for entry in entries])),
    4: both(array(_DROP, 1, MAX_ENTRIES), ascending),
    5: array(items(uint(0, 65_535), bstr(0, 4096)), 1, 4096),
    6: bstr(0, 16_777_216),
    7: items(uint(), uint(), array(bstr(32), 0, 64)),
    8: both(array(_CAPABILITY, 1, 64), ascending),
    9: items(uint(), bstr(64)),
}


@dataclass(frozen=True)
class Header:
    """A header: its fields by key, and the context that the seal is bound to."""

    fields: dict[int, Any]

    @property
    def context(self) -> bytes:
        """TCBOR of keys 1 to 30."""
        return tcbor.encode({key: value for key, value in self.fields.items() if key <= 30})


def read_header(payload: bytes) -> Header:
    """A header; BUNDLE_UNSUPPORTED or BUNDLE_HEADER_SHAPE else."""
    try:
        value = tcbor.decode(payload)
    except Refused:
        raise Refused("BUNDLE_HEADER_SHAPE") from None
    require(type(value) is dict, "BUNDLE_HEADER_SHAPE")
    for key, supported in ((11, 0), (30, 1)):
        require(type(value.get(key)) is not int or value[key] == supported, "BUNDLE_UNSUPPORTED")
    is_up = value.get(3) == UP
    require(fields(_HEADER | (_BOOT if is_up else {}))(value), "BUNDLE_HEADER_SHAPE")
    require(is_up == (type(value[12]) is list), "BUNDLE_HEADER_SHAPE")
    require((value[8] == 1) == (value[9] == bytes(32)), "BUNDLE_HEADER_SHAPE")
    return Header(value)


def read_body(plaintext: bytes, direction: int, form: int) -> dict[int, Any]:
    """A body by key; BUNDLE_ENTRY_TOO_LARGE or BUNDLE_BODY_SHAPE else."""
    required = {2} | ({1} if form == DELTA else set())
    optional = {5, 6, 7, 8} if direction == UP else {3, 7, 9} | ({4} if form == DELTA else set())
    shape = fields({key: _BODY[key] for key in required}, {key: _BODY[key] for key in optional})
    try:
        value = tcbor.decode(plaintext)
    except Refused:
        raise Refused("BUNDLE_BODY_SHAPE") from None
    entries = value.get(3, []) if type(value) is dict else []
    is_too_large = type(entries) is list and any(len(tcbor.encode(entry)) > MAX_ENTRY_BYTES for entry in entries)
    require(not is_too_large, "BUNDLE_ENTRY_TOO_LARGE")
    require(shape(value), "BUNDLE_BODY_SHAPE")
    put = {(entry[0], entry[1]) for entry in value.get(3, [])}
    require(put.isdisjoint((kind, identity) for kind, identity in value.get(4, [])), "BUNDLE_BODY_SHAPE")
    return value


State = dict[tuple[int, bytes], bytes]


def state_of(entries: list[bytes]) -> State:
    """A state from the bytes of its entries."""
    decoded = [decode_as(entry, _ENTRY, "BUNDLE_BODY_SHAPE") for entry in entries]
    return {(entry[0], entry[1]): data for entry, data in zip(decoded, entries, strict=True)}


def digest(state: State) -> bytes:
    """The digest of a state."""
    ordered = (state[key] for key in sorted(state))
    return sha256(b"tidegate/1 state\x00", *(len(entry).to_bytes(4, "big") + entry for entry in ordered))


def apply_body(held: State, body: dict[int, Any], form: int) -> State:
    """The state that results; one of the BUNDLE codes of section 11.3 else."""
    state: State = {}
    if form == DELTA:
        require(digest(held) == body[1], "BUNDLE_BASE_MISMATCH")
        state = dict(held)
    for entry in body.get(3, []):
        key = (entry[0], entry[1])
        is_older = key in state and tcbor.decode(state[key])[2] > entry[2]
        require(not is_older, "BUNDLE_ENTRY_OLDER")
        state[key] = tcbor.encode(entry)
    for kind, identity in body.get(4, []):
        state.pop((kind, identity), None)
    require(len(state) <= MAX_ENTRIES, "BUNDLE_TOO_MANY_ENTRIES")
    require(digest(state) == body[2], "BUNDLE_RESULT_MISMATCH")
    return state
