"""Frames of a tunnel and what they carry (SPEC.md sections 13.3 and 13.4)."""

from typing import Any

from . import tcbor
from .primitives import hmac_sha256, same
from .refused import Refused
from .shapes import bstr, decode_as, items, require, uint

MIN_FRAME_BYTES, MAX_FRAME_BYTES = 41, 65_577
OUTCOMES = ("stored", "refused", "too-large", "full")
MALFORMED = "COURIER_MALFORMED"

_PART = items(bstr(20), bstr(32), uint(), uint(1))
_HOP_ACK = items(bstr(20), bstr(32), uint(0, 3))


def read_frames(key: bytes, frames: list[bytes]) -> list[tuple[int, bytes]]:
    """Kind and payload of each frame of one direction, from the first on."""
    return [_read_frame(key, number, frame) for number, frame in enumerate(frames)]


def _read_frame(key: bytes, number: int, frame: bytes) -> tuple[int, bytes]:
    require(MIN_FRAME_BYTES <= len(frame) <= MAX_FRAME_BYTES, "TUNNEL_MALFORMED")
    require(same(hmac_sha256(key, frame[:-32]), frame[-32:]), "TUNNEL_FRAME_FORGED")
    require(int.from_bytes(frame[:8], "big") == number, "TUNNEL_FRAME_ORDER")
    return frame[8], frame[9:-32]


def read_part(payload: bytes) -> tuple[list[Any], bytes]:
    """[mailbox, id, offset, total] and the bytes of the part."""
    try:
        head, end = tcbor.decode_first(payload)
    except tcbor.Malformed:
        raise Refused(MALFORMED) from None
    data = payload[end:]
    require(_PART(head) and len(data) > 0 and head[2] + len(data) <= head[3], MALFORMED)
    return head, data


def read_hop_ack(payload: bytes) -> list[Any]:
    """[mailbox, id, outcome]."""
    fields: list[Any] = decode_as(payload, _HOP_ACK, MALFORMED)
    return fields


def read_credit(payload: bytes) -> int:
    """How many bytes of part payloads may have been sent."""
    return int(decode_as(payload, uint(), MALFORMED))
