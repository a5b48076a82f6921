"""The handshake of a tunnel (SPEC.md section 13.2)."""

from dataclasses import dataclass
from typing import Any

from . import tcbor
from .documents import MemberStatement, parse_member
from .envelope import pae, read_envelope
from .primitives import ed25519_holds, ed25519_sign, hkdf, sha256, x25519, x25519_base
from .refused import Refused
from .shapes import array, bstr, decode_as, items, require, uint
from .trust import Trust

MAGIC = "tidegate-tunnel/1"
VERSION = 1
DIRECT = 1
MAX_M1_BYTES, MAX_M2_BYTES, MAX_M3_BYTES = 512, 262_144, 65_536
SIGNATURE_BYTES = 64
LISTENER_TYPE = "application/vnd.tidegate.tunnel-listener.v1"
DIALLER_TYPE = "application/vnd.tidegate.tunnel-dialler.v1"
MALFORMED = "TUNNEL_MALFORMED"

HEAD = items(bstr(20), uint(), uint(), bstr(32))


def _is(expected: Any) -> Any:
    return lambda value: type(value) is type(expected) and value == expected


_M1 = items(
    _is(MAGIC), _is(1), array(uint(), 0, 8), bstr(32), bstr(20), bstr(20), bstr(32), bstr(32), uint(0, 1), uint()
)
_M2 = items(
    _is(MAGIC), _is(2), uint(), bstr(20), bstr(20), bstr(32), bstr(32), uint(0, 1), bstr(0, 65_536),
    array(bstr(0, 65_536), 0, 33),
)  # fmt: skip
_M3 = items(_is(MAGIC), _is(3), bstr(0, 65_536), uint(), array(HEAD, 0, 512))


@dataclass(frozen=True)
class End:
    """One end: what it holds and has drawn, and what it reads of TLS (an empty exporter in mode proxy)."""

    seed: bytes
    member: bytes
    trust: Trust
    ephemeral: bytes
    nonce: bytes
    exporter: bytes
    peer_key_hash: bytes

    @property
    def id(self) -> bytes:
        """Its node id."""
        return parse_member(read_envelope(self.member, "member")).node_id

    @property
    def mode(self) -> int:
        """1 direct, 0 proxy."""
        return DIRECT if self.exporter else 0


@dataclass(frozen=True)
class Session:
    """What a handshake leads to."""

    th2: bytes
    th3: bytes
    th4: bytes
    dialler_to_listener: bytes
    listener_to_dialler: bytes
    session_id: bytes


def _lp(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _split(message: bytes) -> tuple[bytes, bytes]:
    require(len(message) >= SIGNATURE_BYTES, MALFORMED)
    return message[:-SIGNATURE_BYTES], message[-SIGNATURE_BYTES:]


def _th2(m1: bytes, m2: bytes, exporter: bytes) -> bytes:
    return sha256(MAGIC.encode(), b"\x00", _lp(m1), _lp(_split(m2)[0]), _lp(exporter))


def _th3(th2: bytes, m2: bytes, m3: bytes) -> bytes:
    return sha256(th2, _lp(_split(m2)[1]), _lp(_split(m3)[0]))


def make_m1(dialler: End, listener_id: bytes) -> bytes:
    """The dialler's first message."""
    public = x25519_base(dialler.ephemeral)
    newest = dialler.trust.newest
    fields = [newest.vault_id, dialler.id, listener_id, dialler.nonce, public, dialler.mode, newest.version]
    return tcbor.encode([MAGIC, 1, [VERSION], *fields])


def read_m1(m1: bytes, listener: End) -> list[Any]:
    """The fields of M1, or a TUNNEL code."""
    require(len(m1) <= MAX_M1_BYTES, "TUNNEL_TOO_LARGE")
    fields: list[Any] = decode_as(m1, _M1, MALFORMED)
    _, _, versions, vault_id, dialler_id, listener_id, _, _, mode, _ = fields
    require(VERSION in versions, "TUNNEL_VERSION")
    require(vault_id == listener.trust.vault_id, "TUNNEL_WRONG_VAULT")
    is_us = listener_id == listener.id or listener.trust.is_revoked(listener_id, 0)
    require(is_us and dialler_id != listener.id, "TUNNEL_WRONG_PEER")
    require(mode == listener.mode, "TUNNEL_MODE_MISMATCH")
    return fields


def make_m2(m1: bytes, listener: End) -> bytes:
    """The listener's message, with the roots above the dialler's newest and the revoked list."""
    fields = read_m1(m1, listener)
    statements = [root.envelope.data for root in listener.trust.roots if root.version > fields[9]]
    if listener.trust.revoked is not None:
        statements.append(listener.trust.revoked.envelope.data)
    public = x25519_base(listener.ephemeral)
    ids = [listener.id, fields[4]]
    m2 = tcbor.encode([MAGIC, 2, VERSION, *ids, listener.nonce, public, listener.mode, listener.member, statements])
    th2 = _th2(m1, m2 + bytes(SIGNATURE_BYTES), listener.exporter)
    return m2 + ed25519_sign(listener.seed, pae(LISTENER_TYPE, th2))[1]


def read_m2(m1: bytes, m2: bytes, dialler: End, dialled: bytes) -> bytes:
    """The listener's ephemeral key, or a refusal."""
    require(len(m2) <= MAX_M2_BYTES, "TUNNEL_TOO_LARGE")
    data, signature = _split(m2)
    _, _, version, listener_id, dialler_id, _, ephemeral, mode, member, statements = decode_as(data, _M2, MALFORMED)
    require(version == VERSION, "TUNNEL_VERSION")
    require(dialler_id == dialler.id, "TUNNEL_WRONG_PEER")
    require(mode == dialler.mode, "TUNNEL_MODE_MISMATCH")
    trust = dialler.trust.apply(statements)
    shown = trust.shown(member)
    require(shown.node_id == listener_id, "TUNNEL_WRONG_PEER")
    require(listener_id == dialled or _is_successor(trust, shown, dialled), "TUNNEL_WRONG_PEER")
    _check_peer(dialler, shown, ephemeral, pae(LISTENER_TYPE, _th2(m1, m2, dialler.exporter)), signature)
    return bytes(ephemeral)


def make_m3(m1: bytes, m2: bytes, dialler: End, counter: int, heads: list[list[Any]]) -> bytes:
    """The dialler's second message."""
    m3 = tcbor.encode([MAGIC, 3, dialler.member, counter, heads])
    th3 = _th3(_th2(m1, m2, dialler.exporter), m2, m3 + bytes(SIGNATURE_BYTES))
    return m3 + ed25519_sign(dialler.seed, pae(DIALLER_TYPE, th3))[1]


def read_m3(messages: tuple[bytes, bytes, bytes], listener: End) -> None:
    """Judges M3 behind M1 and M2."""
    m1, m2, m3 = messages
    require(len(m3) <= MAX_M3_BYTES, "TUNNEL_TOO_LARGE")
    data, signature = _split(m3)
    _, _, member, _, _ = decode_as(data, _M3, MALFORMED)
    fields = read_m1(m1, listener)
    shown = listener.trust.shown(member)
    require(shown.node_id == fields[4], "TUNNEL_WRONG_PEER")
    th3 = _th3(_th2(m1, m2, listener.exporter), m2, m3)
    _check_peer(listener, shown, fields[7], pae(DIALLER_TYPE, th3), signature)


def _is_successor(trust: Trust, shown: MemberStatement, dialled: bytes) -> bool:
    held = trust.members.get(dialled)
    if held is None or not trust.is_revoked(dialled, held.serial):
        return False
    return (held.role, held.name) == (shown.role, shown.name)


def _check_peer(end: End, shown: MemberStatement, ephemeral: bytes, signed: bytes, signature: bytes) -> None:
    """TLS key (its chain is not looked at here), signature, and exchange."""
    require(end.mode != DIRECT or end.peer_key_hash == shown.tls_spki_hash, "TUNNEL_TLS_KEY")
    require(ed25519_holds(shown.sign_key, signed, signature), "TUNNEL_BAD_SIGNATURE")
    require(x25519(end.ephemeral, ephemeral) is not None, "TUNNEL_WEAK_EXCHANGE")


def session(messages: tuple[bytes, bytes, bytes], end: End, peer_ephemeral: bytes) -> Session:
    """The hashes and keys of a session, at either end."""
    m1, m2, m3 = messages
    shared = x25519(end.ephemeral, peer_ephemeral)
    if shared is None:
        raise Refused("TUNNEL_WEAK_EXCHANGE")
    th2 = _th2(m1, m2, end.exporter)
    th3 = _th3(th2, m2, m3)
    th4 = sha256(th3, _lp(_split(m3)[1]))
    names = ("dialler to listener", "listener to dialler", "session id")
    keys = (hkdf(shared + end.exporter, th4, f"{MAGIC} {name}".encode(), 32) for name in names)
    return Session(th2, th3, th4, *keys)
