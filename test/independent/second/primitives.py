"""Cryptography that is not this project's own: PyNaCl (libsodium) and the standard library."""

import hashlib
import hmac

import nacl.bindings
import nacl.exceptions


def sha256(*parts: bytes) -> bytes:
    """SHA-256 of the joined parts."""
    return hashlib.sha256(b"".join(parts)).digest()


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104)."""
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """HKDF-SHA-256 (RFC 5869); an empty salt is 32 zero bytes."""
    extracted = hmac_sha256(salt or bytes(32), ikm)
    output, block, counter = b"", b"", 1
    while len(output) < length:
        block = hmac_sha256(extracted, block + info + bytes([counter]))
        output, counter = output + block, counter + 1
    return output[:length]


def ed25519_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature holds (SPEC.md section 3.3)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    try:
        nacl.bindings.crypto_sign_open(signature + message, public_key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


def ed25519_sign(seed: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Public key of a seed and its signature over the message."""
    public_key, secret_key = nacl.bindings.crypto_sign_seed_keypair(seed)
    return public_key, nacl.bindings.crypto_sign(message, secret_key)[:64]


def x25519(scalar: bytes, point: bytes) -> bytes | None:
    """X25519, or None where the result is all zero."""
    try:
        return nacl.bindings.crypto_scalarmult(scalar, point)
    except nacl.exceptions.CryptoError:
        return None


def x25519_base(scalar: bytes) -> bytes:
    """X25519 of a scalar with the base point 9."""
    return nacl.bindings.crypto_scalarmult_base(scalar)


def secretbox_open(sealed: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """NaCl's crypto_secretbox_open with the tag first, or None where the tag does not hold."""
    try:
        return nacl.bindings.crypto_secretbox_open(sealed, nonce, key)
    except (nacl.exceptions.CryptoError, ValueError):
        return None


def same(left: bytes, right: bytes) -> bool:
    """Comparison in constant time."""
    return hmac.compare_digest(left, right)
