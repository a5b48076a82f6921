"""X-Wing: ML-KEM-768 and X25519 in one (SPEC.md section 3.4)."""

import hashlib
from dataclasses import dataclass

from . import ml_kem
from .primitives import x25519, x25519_base
from .refused import Refused

LABEL = bytes.fromhex("5c2e2f2f5e5c")
CIPHERTEXT_BYTES = ml_kem.CIPHERTEXT_BYTES + 32


@dataclass(frozen=True)
class SealingKey:
    """A private key, expanded."""

    kem_secret: bytes
    scalar: bytes
    public: bytes


def expand(seed: bytes) -> SealingKey:
    """The key of a seed of 32 bytes."""
    expanded = hashlib.shake_256(seed).digest(96)
    kem_public, kem_secret = ml_kem.key_pair(expanded[:32], expanded[32:64])
    return SealingKey(kem_secret, expanded[64:], kem_public + x25519_base(expanded[64:]))


def encapsulate(public: bytes, drawn: bytes) -> tuple[bytes, bytes]:
    """Shared secret and ciphertext from the 64 bytes that encapsulation draws."""
    kem_shared, kem_ciphertext = ml_kem.encapsulate(public[: ml_kem.KEY_BYTES], drawn[:32])
    point = x25519_base(drawn[32:])
    return _combine(kem_shared, x25519(drawn[32:], public[ml_kem.KEY_BYTES :]), point, public), kem_ciphertext + point


def decapsulate(key: SealingKey, ciphertext: bytes) -> bytes:
    """The shared secret; SEAL_OPEN_FAILED where the ciphertext is to be refused."""
    if len(ciphertext) != CIPHERTEXT_BYTES:
        raise Refused("SEAL_OPEN_FAILED")
    kem_ciphertext, point = ciphertext[:-32], ciphertext[-32:]
    return _combine(ml_kem.decapsulate(key.kem_secret, kem_ciphertext), x25519(key.scalar, point), point, key.public)


def _combine(kem_shared: bytes, shared: bytes | None, point: bytes, public: bytes) -> bytes:
    if shared is None:
        raise Refused("SEAL_OPEN_FAILED")
    return hashlib.sha3_256(kem_shared + shared + point + public[ml_kem.KEY_BYTES :] + LABEL).digest()
