"""Runs seal.json."""

from .expecting import Case, expect_equal, from_hex
from .primitives import sha256
from .seal import Sealed, open_escrow, open_seal
from .x_wing import expand


def check_seal(case: Case) -> None:
    """A sealed body, opened."""
    sealed = Sealed(from_hex(case, "encapsulated"), from_hex(case, "commitment"), from_hex(case, "ciphertext"))
    plaintext = open_seal(expand(from_hex(case, "seed")), from_hex(case, "context"), case["label"], sealed)
    if "plaintext" in case:
        expect_equal("plaintext", plaintext.hex(), case["plaintext"])
    else:
        expect_equal("hash of the plaintext", sha256(plaintext).hex(), case["plaintextSha256"])


def check_escrow(case: Case) -> None:
    """An escrow blob, opened."""
    owner = (from_hex(case, "vaultId"), from_hex(case, "nodeId"))
    plaintext = open_escrow(
        expand(from_hex(case, "seed")), owner, from_hex(case, "reportContext"), from_hex(case, "blob")
    )
    expect_equal("plaintext", plaintext.hex(), case["plaintext"])


SEAL_CHECKS = {"seal": check_seal, "escrow": check_escrow}
