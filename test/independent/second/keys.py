"""Key ids, and which public keys are refused (SPEC.md section 3)."""

from .ml_kem import encapsulation_key_is_good
from .primitives import sha256, x25519
from .refused import Refused

ED25519_ALGORITHM, X_WING_ALGORITHM, P256_ALGORITHM = 1, 3, 4
X_WING_KEY_BYTES = 1216
ML_KEM_KEY_BYTES = 1184
FIELD_PRIME = 2**255 - 19

SMALL_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    )
)


def key_id_of(algorithm: int, public_key: bytes) -> bytes:
    """The 20 bytes by which everything but a note names a key."""
    return sha256(b"tidegate/1 key\x00", bytes([algorithm]), public_key)[:20]


def check_ed25519_key(public_key: bytes) -> None:
    """KEY_MALFORMED where it has not 32 bytes, KEY_WEAK where it is of small order or not canonical."""
    if len(public_key) != 32:
        raise Refused("KEY_MALFORMED")
    y = int.from_bytes(public_key, "little") & (2**255 - 1)
    if public_key in SMALL_ORDER or y >= FIELD_PRIME:
        raise Refused("KEY_WEAK")


def check_sealing_key(public_key: bytes) -> None:
    """KEY_MALFORMED or KEY_WEAK where an X-Wing key is to be refused."""
    if len(public_key) != X_WING_KEY_BYTES or not encapsulation_key_is_good(public_key[:ML_KEM_KEY_BYTES]):
        raise Refused("KEY_MALFORMED")
    if x25519(bytes(32), public_key[ML_KEM_KEY_BYTES:]) is None:
        raise Refused("KEY_WEAK")
