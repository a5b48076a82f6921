"""Root documents, member statements and revoked lists (SPEC.md sections 6 and 7)."""

from dataclasses import dataclass
from typing import Any

from .envelope import Envelope
from .keys import check_ed25519_key, check_sealing_key
from .shapes import (
    NAME, Shape, array, ascending, both, bstr, decode_as, fields, items, null, any_of, require, text, uint,
)  # fmt: skip

P256_SPKI_PREFIX = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")


def _keys(low: int, high: int) -> Shape:
    return both(array(bstr(32), low, high), ascending)


def _is_p256(value: Any) -> bool:
    return bstr(91)(value) and value.startswith(P256_SPKI_PREFIX)


_ROOT = fields(
    {
        1: uint(1),
        2: bstr(0, 32),
        3: text(1, 100, r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?"),
        4: uint(),
        5: _keys(1, 16),
        6: uint(1, 16),
        7: _keys(1, 8),
        8: both(array(bstr(1216), 1, 4), lambda keys: len(set(keys)) == len(keys)),
        9: bstr(1216),
        10: both(array(_is_p256, 0, 4), ascending),
        11: _keys(0, 16),
    }
)
_MEMBER = items(
    bstr(32), bstr(20), uint(), text(1, 63, NAME), uint(0, 2), text(1, 63, NAME),
    bstr(32), bstr(1216), bstr(32), bstr(32), bstr(32), any_of(null, bstr(32)),
)  # fmt: skip
_REVOKED = items(
    bstr(32),
    uint(1),
    both(array(items(bstr(20), uint()), 0, 500), lambda rows: ascending([node_id for node_id, _ in rows])),
)


@dataclass(frozen=True)
class Root:
    """A root document and the envelope that it came in."""

    envelope: Envelope
    version: int
    vault_id: bytes
    trust_domain: str
    vault_epoch: int
    root_keys: list[bytes]
    threshold: int
    bundle_signers: list[bytes]
    sealing_keys: list[bytes]
    recovery_key: bytes
    tls_ca_keys: list[bytes]
    witness_keys: list[bytes]


@dataclass(frozen=True)
class MemberStatement:
    """A member statement and the envelope that it came in."""

    envelope: Envelope
    vault_id: bytes
    node_id: bytes
    serial: int
    name: str
    role: int
    zone: str
    sign_key: bytes
    seal_key: bytes
    tls_spki_hash: bytes
    log_key: bytes
    epoch_key: bytes
    witness_key: bytes | None


@dataclass(frozen=True)
class RevokedList:
    """A revoked list and the envelope that it came in."""

    envelope: Envelope
    vault_id: bytes
    version: int
    rows: dict[bytes, int]


def parse_root(envelope: Envelope) -> Root:
    """The document in an envelope of type root."""
    payload = decode_as(envelope.payload, _ROOT, "TRUST_MALFORMED")
    require(len(payload[2]) == (0 if payload[1] == 1 else 32), "TRUST_MALFORMED")
    for key in payload[5] + payload[7] + payload[11]:
        check_ed25519_key(key)
    for key in [*payload[8], payload[9]]:
        check_sealing_key(key)
    require(payload[6] <= len(payload[5]), "TRUST_MALFORMED")
    vault_id = payload[2] if payload[1] > 1 else envelope.id
    return Root(envelope, payload[1], vault_id, *(payload[key] for key in range(3, 12)))


def parse_member(envelope: Envelope) -> MemberStatement:
    """The statement in an envelope of type member."""
    payload = decode_as(envelope.payload, _MEMBER, "TRUST_MALFORMED")
    for key in (payload[6], payload[9], payload[10], payload[11]):
        if key is not None:
            check_ed25519_key(key)
    check_sealing_key(payload[7])
    return MemberStatement(envelope, *payload)


def parse_revoked(envelope: Envelope) -> RevokedList:
    """The list in an envelope of type revoked."""
    vault_id, version, rows = decode_as(envelope.payload, _REVOKED, "TRUST_MALFORMED")
    return RevokedList(envelope, vault_id, version, dict(map(tuple, rows)))
