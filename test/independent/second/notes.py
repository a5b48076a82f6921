"""Checkpoints as signed notes, and cosignatures (SPEC.md section 15.3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .primitives import ed25519_holds, sha256
from .refused import Refused
from .text_forms import strict_base64, strict_decimal

MAX_NOTE_BYTES = 131_072
MAX_SIGNATURES = 64
MAX_ORIGIN_BYTES = 255
ED25519 = b"\x01"
COSIGNATURE = b"\x04"

_SIGNATURE_LINE = re.compile("\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)")


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: the name, the key id, and what stands behind it."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True)
class Checkpoint:
    """A parsed note; nothing is verified yet."""

    origin: str
    size: int
    root: bytes
    text: bytes
    signatures: tuple[NoteSignature, ...]


def key_id(name: str, kind: bytes, public_key: bytes) -> bytes:
    """The four bytes by which a note names a key."""
    return sha256(name.encode(), b"\n", kind, public_key)[:4]


def parse_checkpoint(note: bytes) -> Checkpoint:
    """Parses a note; AUDIT_CHECKPOINT_MALFORMED where it deviates."""
    try:
        if len(note) > MAX_NOTE_BYTES:
            raise ValueError
        text, separator, tail = note.decode("utf-8").partition("\n\n")
        lines, signature_lines = text.split("\n"), tail.split("\n")
        if not separator or len(lines) != 3 or signature_lines.pop() != "":
            raise ValueError
        if not 1 <= len(signature_lines) <= MAX_SIGNATURES:
            raise ValueError
        size, root = strict_decimal(lines[1]), strict_base64(lines[2])
        if size is None or root is None or len(root) != 32 or not _is_origin(lines[0]):
            raise ValueError
        signatures = tuple(_parse_signature(line) for line in signature_lines)
    except ValueError:
        raise Refused("AUDIT_CHECKPOINT_MALFORMED") from None
    return Checkpoint(lines[0], size, root, (text + "\n").encode(), signatures)


def _is_origin(line: str) -> bool:
    return 0 < len(line.encode()) <= MAX_ORIGIN_BYTES and all(ord(character) >= 0x20 for character in line)


def _parse_signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    data = strict_base64(match[2]) if match else None
    if match is None or data is None or len(data) < 5:
        raise ValueError
    return NoteSignature(match[1], data[:4], data[4:])


def verified_names(checkpoint: Checkpoint, signers: Mapping[str, bytes]) -> list[str]:
    """Names of the known Ed25519 keys that signed; AUDIT_CHECKPOINT_UNSIGNED where one of them claims to and did not."""
    names = []
    for line in checkpoint.signatures:
        public_key = signers.get(line.name)
        if public_key is None or key_id(line.name, ED25519, public_key) != line.key_id:
            continue
        if not ed25519_holds(public_key, checkpoint.text, line.signature):
            raise Refused("AUDIT_CHECKPOINT_UNSIGNED")
        names.append(line.name)
    return names


def cosigned_at(checkpoint: Checkpoint, witness: str, public_key: bytes) -> int | None:
    """The time (s since 1970) at which a witness cosigned, or None; AUDIT_CHECKPOINT_UNSIGNED where its line does not hold."""
    time = None
    for line in checkpoint.signatures:
        if line.name != witness or line.key_id != key_id(witness, COSIGNATURE, public_key):
            continue
        time = int.from_bytes(line.signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n".encode() + checkpoint.text
        if not ed25519_holds(public_key, message, line.signature[8:]):
            raise Refused("AUDIT_CHECKPOINT_UNSIGNED")
    return time
