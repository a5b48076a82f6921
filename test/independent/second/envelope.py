"""Envelopes and carriers (SPEC.md sections 4 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass

from .keys import ED25519_ALGORITHM, key_id_of
from .primitives import ed25519_holds, sha256
from .refused import Refused
from .shapes import array, ascending, bstr, decode_as, items, require, text

TYPE_PREFIX, TYPE_SUFFIX = "application/vnd.tidegate.", ".v1+cbor"
TYPES = (
    "root", "member", "revoked", "join", "bundle", "report", "notice", "approval",
    "hop-receipt", "manifest", "epoch", "block",
)  # fmt: skip
MAX_ROOT_BYTES = 65_536
MAX_ENVELOPE_BYTES = 16_384
MAX_STATEMENTS = 64
MAX_CARRIER_BYTES = 71_320_576
MAX_BODY_BYTES = 67_108_864
MAX_CARRIER_VALUES = 256

_SIGNATURE = items(bstr(20), bstr(64))
_ENVELOPE = items(
    lambda magic: magic == "tidegate/1", text(0, 65_536), bstr(0, 65_536), array(_SIGNATURE, 0, 65_536)
)
_CARRIER = items(
    lambda magic: magic == "tidegate-carrier/1",
    array(lambda statement: type(statement) is bytes, 0, MAX_CARRIER_VALUES),
    lambda envelope: type(envelope) is bytes,
    lambda body: type(body) is bytes,
)


def pae(kind: str, payload: bytes) -> bytes:
    """What a signature over a payload of this type covers."""
    name = kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(name), name, len(payload), payload)


@dataclass(frozen=True)
class Envelope:
    """An envelope whose shape is good; nothing is verified yet."""

    type: str
    payload: bytes
    signatures: tuple[tuple[bytes, bytes], ...]
    data: bytes

    @property
    def signed(self) -> bytes:
        """The bytes that each signature covers."""
        return pae(TYPE_PREFIX + self.type + TYPE_SUFFIX, self.payload)

    @property
    def id(self) -> bytes:
        """The id by which an item goes."""
        return sha256(self.signed)

    def signer_among(self, public_keys: list[bytes]) -> bytes | None:
        """The key of the list that the only signature names."""
        named = self.signatures[0][0]
        return next((key for key in public_keys if key_id_of(ED25519_ALGORITHM, key) == named), None)

    def verify(self, public_key: bytes) -> None:
        """ENVELOPE_BAD_SIGNATURE where this key's signature is not there or does not hold."""
        by_id: Mapping[bytes, bytes] = dict(self.signatures)
        signature = by_id.get(key_id_of(ED25519_ALGORITHM, public_key))
        require(
            signature is not None and ed25519_holds(public_key, self.signed, signature), "ENVELOPE_BAD_SIGNATURE"
        )


def read_envelope(data: bytes, due: str | None = None) -> Envelope:
    """Checks an envelope up to its signatures; `due` is the type that the place asks for."""
    require(len(data) <= MAX_ROOT_BYTES, "ENVELOPE_TOO_LARGE")
    _, full_type, payload, signatures = decode_as(data, _ENVELOPE, "ENVELOPE_MALFORMED")
    require(len(full_type.encode()) <= 64, "ENVELOPE_MALFORMED")
    kind = full_type.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    require(kind in TYPES and full_type == TYPE_PREFIX + kind + TYPE_SUFFIX, "ENVELOPE_TYPE")
    require(kind == "root" or len(data) <= MAX_ENVELOPE_BYTES, "ENVELOPE_TOO_LARGE")
    require(1 <= len(signatures) <= (16 if kind == "root" else 1), "ENVELOPE_MALFORMED")
    require(ascending([key_id for key_id, _ in signatures]), "ENVELOPE_MALFORMED")
    require(due is None or kind == due, "ENVELOPE_TYPE")
    return Envelope(kind, payload, tuple((key_id, signature) for key_id, signature in signatures), data)


@dataclass(frozen=True)
class Carrier:
    """Statements, an envelope and a body."""

    statements: list[bytes]
    envelope: bytes
    body: bytes


def read_carrier(data: bytes) -> Carrier:
    """Splits a carrier; what it carries proves itself."""
    require(len(data) <= MAX_CARRIER_BYTES, "CARRIER_TOO_LARGE")
    _, statements, envelope, body = decode_as(data, _CARRIER, "CARRIER_MALFORMED", MAX_CARRIER_VALUES)
    fits = len(statements) <= MAX_STATEMENTS and all(len(statement) <= MAX_ROOT_BYTES for statement in statements)
    if not fits or len(envelope) > MAX_ENVELOPE_BYTES or len(body) > MAX_BODY_BYTES:
        raise Refused("CARRIER_TOO_LARGE")
    return Carrier(statements, envelope, body)
