"""Runs keys.json and x-wing.json."""

from . import x_wing
from .expecting import Case, expect_equal, from_hex
from .keys import check_ed25519_key, check_sealing_key, key_id_of
from .primitives import ed25519_holds, ed25519_sign


def check_key_id(case: Case) -> None:
    """The id of a key."""
    expect_equal("key id", key_id_of(case["algorithm"], from_hex(case, "publicKey")).hex(), case["keyId"])


def check_signature(case: Case) -> None:
    """A signature, made and verified."""
    public_key, signature = ed25519_sign(from_hex(case, "seed"), from_hex(case, "message"))
    expect_equal("public key", public_key.hex(), case["publicKey"])
    expect_equal("signature", signature.hex(), case["signature"])
    expect_equal("verified", ed25519_holds(public_key, from_hex(case, "message"), signature), True)


def check_ed25519_import(case: Case) -> None:
    """A key that is taken or refused."""
    check_ed25519_key(from_hex(case, "publicKey"))


def check_sealing_import(case: Case) -> None:
    """An X-Wing key that is taken or refused."""
    check_sealing_key(from_hex(case, "publicKey"))


def check_x_wing(case: Case) -> None:
    """Key, encapsulation and decapsulation."""
    key = x_wing.expand(from_hex(case, "seed"))
    expect_equal("public key", key.public.hex(), case["publicKey"])
    secret, ciphertext = x_wing.encapsulate(key.public, from_hex(case, "encapsulationSeed"))
    expect_equal("secret", secret.hex(), case["secret"])
    expect_equal("ciphertext", ciphertext.hex(), case["ciphertext"])
    expect_equal("decapsulated", x_wing.decapsulate(key, ciphertext), secret)


KEY_CHECKS = {
    "key id": check_key_id,
    "ed25519 signature": check_signature,
    "ed25519 import": check_ed25519_import,
    "sealing import": check_sealing_import,
    "x-wing": check_x_wing,
}
