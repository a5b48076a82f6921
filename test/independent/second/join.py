"""Enrolment codes and join requests (SPEC.md section 8)."""

import re
from dataclasses import dataclass

from . import tcbor
from .envelope import read_envelope
from .keys import ED25519_ALGORITHM, check_ed25519_key, check_sealing_key, key_id_of
from .primitives import hkdf, hmac_sha256, same, sha256
from .refused import Refused
from .shapes import NAME, Shape, bstr, decode_as, items, nullable, require, text, uint
from .text_forms import strict_base32

MAX_CODE_CHARACTERS = 1024
CHECKSUM_BYTES = 4

_CODE = items(
    bstr(16), bstr(16), uint(), bstr(32), uint(0, 2), text(1, 63, NAME), text(0, 260, r"[\x21-\x7e]*")
)
_FIELDS: tuple[Shape, ...] = (
    bstr(32), bstr(16), text(1, 63, NAME), uint(0, 2), bstr(32), bstr(1216), bstr(32),
    bstr(32), bstr(32), bstr(16), nullable(bstr(20)),
)  # fmt: skip
_REQUEST = items(*_FIELDS, bstr(32))


@dataclass(frozen=True)
class Code:
    """What an enrolment code says."""

    code_id: bytes
    secret: bytes
    root_version: int
    root_id: bytes
    role: int
    name: str
    address: str


@dataclass(frozen=True)
class JoinRequest:
    """What a request that was accepted says."""

    node_id: bytes
    name: str
    nonce: bytes


def read_code(written: str) -> Code:
    """The code in a text; JOIN_CODE_MALFORMED, JOIN_CODE_VERSION or JOIN_CODE_CHECKSUM else."""
    require(len(written) <= MAX_CODE_CHARACTERS, "JOIN_CODE_MALFORMED")
    joined = re.sub(r"[\s-]", "", written).lower()
    require(re.match(r"tg[2-9]", joined) is None, "JOIN_CODE_VERSION")
    require(joined.startswith("tg1"), "JOIN_CODE_MALFORMED")
    data = strict_base32(joined[3:])
    if data is None or len(data) <= CHECKSUM_BYTES:
        raise Refused("JOIN_CODE_CHECKSUM")
    content, checksum = data[:-CHECKSUM_BYTES], data[-CHECKSUM_BYTES:]
    require(sha256(b"tidegate/1 code\x00", content)[:CHECKSUM_BYTES] == checksum, "JOIN_CODE_CHECKSUM")
    return Code(*decode_as(content, _CODE, "JOIN_CODE_MALFORMED"))


def open_request(data: bytes, code: Code) -> JoinRequest:
    """What the vault checks of a request, once it has found the code."""
    envelope = read_envelope(data, "join")
    request = decode_as(envelope.payload, _REQUEST, "JOIN_MALFORMED")
    root_id, code_id, name, role, sign_key, seal_key, _, log_key, epoch_key, nonce, _, mac = request
    require(len({sign_key, log_key, epoch_key}) == 3 and code_id == code.code_id, "JOIN_MALFORMED")
    key = hkdf(code.secret, code.code_id, b"tidegate/1 join", 32)
    require(same(hmac_sha256(key, tcbor.encode(request[:-1])), mac), "JOIN_MAC")
    envelope.verify(sign_key)
    for public_key in (sign_key, log_key, epoch_key):
        check_ed25519_key(public_key)
    check_sealing_key(seal_key)
    require(root_id == code.root_id, "JOIN_ROOT")
    require((name, role) == (code.name, code.role), "JOIN_NOT_AS_ENROLLED")
    return JoinRequest(key_id_of(ED25519_ALGORITHM, sign_key), name, nonce)
