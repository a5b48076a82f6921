"""Notices and the manifests of media: what a node tells in its own name (SPEC.md sections 12.4 and 16.2)."""

from dataclasses import dataclass
from typing import Any

from .envelope import read_carrier, read_envelope
from .primitives import sha256
from .refused import Refused
from .shapes import INDEX, array, ascending, both, bstr, decode_as, interval, items, nullable, require, uint
from .trust import Trust

EDGE = 2
MAX_MANIFEST_BYTES = 1_048_576
MAX_LISTED_FILES = 4096
MAX_LISTED_BYTES = 4_294_967_296
MAX_FILE_BYTES = 16_777_216
KINDS = ("join", "bundle", "report", "notice")
STATES = ("sent", "verified", "reverted")

_NOTICE = items(bstr(32), bstr(20), bstr(16), INDEX, uint(0, 2), items(uint(), uint()))
_MANIFEST = items(nullable(bstr(32)), bstr(20), bstr(16), interval, items(uint(), bstr(32)))
_FILE = items(uint(0, 3), bstr(32), bstr(20), uint(0, MAX_FILE_BYTES), bstr(32))
_FILES = both(array(_FILE, 0, MAX_LISTED_FILES), lambda files: ascending([file[:2] for file in files]))


@dataclass(frozen=True)
class Notice:
    """What an edge tells of a value."""

    node_id: bytes
    zone: str
    account_id: bytes
    index: tuple[int, int]
    state: str
    leaf: tuple[int, int]


@dataclass(frozen=True)
class Manifest:
    """What a folder of a medium lists."""

    node_id: bytes
    write_id: bytes
    time: list[int | None]
    files: list[list[Any]]


def open_notice(data: bytes, trust: Trust) -> Notice:
    """A notice in an envelope, in the order of the checks of section 12.4; the account's path is the reader's to compare."""
    envelope = read_envelope(data, "notice")
    vault_id, node_id, account_id, index, state, leaf = decode_as(envelope.payload, _NOTICE, "NOTICE_MALFORMED")
    require(vault_id == trust.vault_id, "TRUST_OTHER_VAULT")
    member = trust.trusted(node_id)
    envelope.verify(member.sign_key)
    require(member.role == EDGE, "NOTICE_NOT_OWNER")
    return Notice(node_id, member.zone, account_id, (index[0], index[1]), STATES[state], (leaf[0], leaf[1]))


def open_manifest(data: bytes, trust: Trust) -> Manifest:
    """A MANIFEST, in the order of the checks of section 16.2."""
    require(len(data) <= MAX_MANIFEST_BYTES, "MANIFEST_TOO_LARGE")
    try:
        carrier = read_carrier(data)
    except Refused:
        raise Refused("MANIFEST_MALFORMED") from None
    envelope = read_envelope(carrier.envelope, "manifest")
    vault_id, node_id, write_id, time, listed = decode_as(envelope.payload, _MANIFEST, "MANIFEST_MALFORMED")
    require(listed == [len(carrier.body), sha256(carrier.body)], "MANIFEST_LIST")
    files = decode_as(carrier.body, _FILES, "MANIFEST_MALFORMED")
    require(sum(file[3] for file in files) <= MAX_LISTED_BYTES, "MANIFEST_TOO_LARGE")
    if vault_id is None:
        is_own = envelope.signatures[0][0] == node_id
        require(is_own and all(file[0] == 0 for file in files), "MANIFEST_WRITER")
    else:
        applied = trust.apply(carrier.statements)
        require(vault_id == applied.vault_id, "TRUST_OTHER_VAULT")
        envelope.verify(applied.trusted(node_id).sign_key)
    return Manifest(node_id, write_id, time, files)
