"""Sealed bodies and escrow blobs (SPEC.md sections 9 and 10)."""

from dataclasses import dataclass

from . import tcbor, x_wing
from .keys import X_WING_ALGORITHM, key_id_of
from .primitives import hkdf, same, secretbox_open, sha256
from .refused import Refused
from .shapes import bstr, decode_as, items, require

CHUNK_BYTES = 65_536
TAG_BYTES = 16
MAX_CIPHERTEXT_BYTES = 67_108_864
MAX_ESCROW_BYTES = 16_777_216
FAILED = "SEAL_OPEN_FAILED"

_ESCROW = items(bstr(x_wing.CIPHERTEXT_BYTES), bstr(32), bstr(0, MAX_ESCROW_BYTES))


@dataclass(frozen=True)
class Sealed:
    """The three parts of a sealed body."""

    encapsulated: bytes
    commitment: bytes
    ciphertext: bytes


def open_seal(key: x_wing.SealingKey, context: bytes, label: str, sealed: Sealed) -> bytes:
    """The plaintext; SEAL_OPEN_FAILED whatever is wrong."""
    require(len(sealed.ciphertext) <= MAX_CIPHERTEXT_BYTES and len(sealed.commitment) == 32, FAILED)
    shared = x_wing.decapsulate(key, sealed.encapsulated)
    hashes = sha256(context) + sha256(key.public) + sha256(sealed.encapsulated)
    derived = hkdf(shared, b"", b"tidegate/1 " + label.encode() + b"\x00\x01" + hashes, 64)
    require(same(derived[32:], sealed.commitment), FAILED)
    return _unpad(_open_chunks(derived[:32], sealed.ciphertext))


def _open_chunks(key: bytes, ciphertext: bytes) -> bytes:
    width = CHUNK_BYTES + TAG_BYTES
    starts = range(0, len(ciphertext), width)
    padded = b""
    for number, start in enumerate(starts):
        last = b"\x01" if number == len(starts) - 1 else b"\x00"
        nonce = b"tg1.body" + bytes(7) + number.to_bytes(8, "big") + last
        chunk = secretbox_open(ciphertext[start : start + width], nonce, key)
        if chunk is None:
            raise Refused(FAILED)
        padded += chunk
    return padded


def _unpad(padded: bytes) -> bytes:
    end = padded.rfind(b"\x80")
    zeros = len(padded) - end - 1
    require(len(padded) > 0 and len(padded) % 256 == 0 and end >= 0 and zeros <= 255, FAILED)
    require(padded[end + 1 :] == bytes(zeros), FAILED)
    return padded[:end]


def open_escrow(key: x_wing.SealingKey, owner: tuple[bytes, bytes], report_context: bytes, blob: bytes) -> bytes:
    """The plaintext of an escrow blob of (vault id, node id); SEAL_OPEN_FAILED whatever is wrong."""
    require(len(blob) <= MAX_ESCROW_BYTES, FAILED)
    sealed = Sealed(*decode_as(blob, _ESCROW, FAILED))
    recovery_id = key_id_of(X_WING_ALGORITHM, key.public)
    context = tcbor.encode([*owner, sha256(report_context), recovery_id])
    return open_seal(key, context, "escrow", sealed)
