"""Opens a bundle or a report, in the order of the checks of SPEC.md section 11.4."""

from dataclasses import dataclass
from typing import Any

from .bundle import DOWN, SNAPSHOT, UP, apply_body, read_body, read_header
from .documents import MemberStatement
from .envelope import Envelope, read_carrier, read_envelope
from .keys import ED25519_ALGORITHM, X_WING_ALGORITHM, key_id_of
from .primitives import sha256
from .refused import Refused
from .seal import Sealed, open_seal
from .shapes import require
from .stream import Item, Receiver, judge
from .trust import Trust
from .x_wing import SealingKey

TYPES = {DOWN: "bundle", UP: "report"}


@dataclass(frozen=True)
class Opener:
    """Who opens: a fresh receiver with these trust, id, sealing key and nonce."""

    trust: Trust
    recipient: bytes
    key: SealingKey
    nonce: bytes
    direction: int


@dataclass(frozen=True)
class Opened:
    """An item that is to be applied."""

    id: bytes
    verdict: str
    plaintext: bytes


def open_item(data: bytes, opener: Opener) -> Opened:
    """Opens an item for a receiver that has applied nothing yet."""
    carrier = read_carrier(data)
    trust = opener.trust.apply(carrier.statements)
    envelope = read_envelope(carrier.envelope)
    due = TYPES[opener.direction]
    is_other = envelope.type == TYPES[1 - opener.direction]
    require(envelope.type == due, "BUNDLE_WRONG_DIRECTION" if is_other else "ENVELOPE_TYPE")
    envelope.verify(_signer(trust, envelope, opener.direction))
    header = read_header(envelope.payload).fields
    require(header[4] == envelope.signatures[0][0], "BUNDLE_SIGNER_MISMATCH")
    require(header[5] == opener.recipient, "BUNDLE_WRONG_RECIPIENT")
    require(header[3] == opener.direction, "BUNDLE_WRONG_DIRECTION")
    require(header[1] == trust.vault_id, "BUNDLE_WRONG_VAULT")
    _check_root_and_epoch(header, trust, opener.direction)
    verdict = judge(_fresh(opener), _item(header, envelope.id))
    length, body_hash = header[33]
    require(len(carrier.body) == length, "BUNDLE_BODY_LENGTH")
    require(sha256(carrier.body) == body_hash, "BUNDLE_BODY_HASH")
    require(header[6] == key_id_of(X_WING_ALGORITHM, opener.key.public), "BUNDLE_WRONG_KEY")
    sealed = Sealed(header[31], header[32], carrier.body)
    plaintext = open_seal(opener.key, read_header(envelope.payload).context, "body", sealed)
    apply_body({}, read_body(plaintext, opener.direction, header[10]), header[10])
    return Opened(envelope.id, verdict, plaintext)


def _signer(trust: Trust, envelope: Envelope, direction: int) -> bytes:
    """Checks 5 and 6: the key that should have signed."""
    if direction == DOWN:
        signer = envelope.signer_among(trust.newest.bundle_signers)
        if signer is None:
            raise Refused("BUNDLE_SIGNER_UNKNOWN")
        return signer
    member = next(filter(lambda member: _is_signer(member, envelope), trust.members.values()), None)
    if member is None:
        raise Refused("BUNDLE_SIGNER_UNKNOWN")
    return trust.trusted(member.node_id).sign_key


def _is_signer(member: MemberStatement, envelope: Envelope) -> bool:
    return key_id_of(ED25519_ALGORITHM, member.sign_key) == envelope.signatures[0][0]


def _check_root_and_epoch(header: dict[int, Any], trust: Trust, direction: int) -> None:
    version, identity = header[7]
    require(version <= trust.newest.version, "BUNDLE_ROOT_MISSING")
    held = next((root for root in trust.roots if root.version == version), None)
    require(held is None or held.envelope.id == identity, "BUNDLE_ROOT_FORK")
    require(header[2] <= trust.newest.vault_epoch, "BUNDLE_EPOCH_AHEAD")
    require(direction == UP or header[2] >= trust.newest.vault_epoch, "STREAM_EPOCH_DOWN")


def _fresh(opener: Opener) -> Receiver:
    return Receiver(False, 0, 0, None, opener.nonce, {}, {})


def _item(header: dict[int, Any], identity: bytes) -> Item:
    return Item(
        place=(header[2], header[8]),
        id=identity,
        prev=header[9],
        is_snapshot=header[10] == SNAPSHOT,
        root_version=header[7][0],
        answers=header[14],
        body_length=header[33][0],
    )
