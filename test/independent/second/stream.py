"""How a receiver judges an item by its place in the stream (SPEC.md section 11.6)."""

from dataclasses import dataclass

from .refused import Refused

MAX_HELD_ITEMS = 64
MAX_HELD_BYTES = 16_777_216
ENTERS_QUARANTINE = ("STREAM_FORK", "STREAM_PREV_MISMATCH")

Place = tuple[int, int]


@dataclass(frozen=True)
class Receiver:
    """What a receiver keeps; `recent` and `held` are ids, and lengths of bodies, by place."""

    is_normal: bool
    epoch: int
    root_version: int
    head: tuple[Place, bytes] | None
    nonce: bytes
    recent: dict[Place, bytes]
    held: dict[Place, tuple[bytes, int]]


@dataclass(frozen=True)
class Item:
    """What its header says of an item."""

    place: Place
    id: bytes
    prev: bytes
    is_snapshot: bool
    root_version: int
    answers: list[bytes]
    body_length: int


def judge(receiver: Receiver, item: Item) -> str:
    """"apply", "hold" or "duplicate"; a STREAM code else."""
    remembered = receiver.recent.get(item.place)
    held = receiver.held.get(item.place)
    known = {identity for identity in (remembered, held and held[0]) if identity is not None}
    head_place = receiver.head[0] if receiver.head else (0, 0)
    if known - {item.id}:
        raise Refused("STREAM_FORK")
    if remembered is not None:
        return "duplicate"
    if item.place[0] < receiver.epoch:
        raise Refused("STREAM_EPOCH_DOWN")
    if item.place <= head_place:
        return "duplicate"
    if item.root_version < receiver.root_version:
        raise Refused("STREAM_ROOT_DOWN")
    if not receiver.is_normal:
        if item.is_snapshot and receiver.nonce in item.answers:
            return "apply"
        raise Refused("STREAM_NONCE_REQUIRED")
    if item.is_snapshot:
        return "apply"
    if receiver.head and item.place == (head_place[0], head_place[1] + 1):
        if item.prev != receiver.head[1]:
            raise Refused("STREAM_PREV_MISMATCH")
        return "apply"
    others = [length for place, (_, length) in receiver.held.items() if place != item.place]
    if len(others) < MAX_HELD_ITEMS and sum(others) + item.body_length <= MAX_HELD_BYTES:
        return "hold"
    raise Refused("STREAM_HELD_FULL")
