"""Runs tunnel.json."""

from .envelope import read_envelope
from .expecting import Case, expect_equal, from_hex
from .frames import OUTCOMES, read_credit, read_frames, read_hop_ack, read_part
from .primitives import x25519_base
from .trust import Pin, Trust, begin
from .tunnel import End, make_m1, make_m2, make_m3, read_m1, read_m2, read_m3, session


def _trust(case: Case, name: str) -> Trust:
    root = from_hex(case, "root")
    applied = [bytes.fromhex(statement) for statement in case.get(name, [])]
    return begin([root], Pin(1, read_envelope(root).id)).apply(applied)


def _end(case: Case, name: str, peer: str) -> End:
    drawn = from_hex(case, f"{name}Random")
    return End(
        seed=from_hex(case, f"{name}Seed"),
        member=from_hex(case, f"{name}Member"),
        trust=_trust(case, f"{name}Statements"),
        ephemeral=drawn[:32],
        nonce=drawn[32:],
        exporter=from_hex(case, "exporter"),
        peer_key_hash=from_hex(case, f"{peer}TlsKeyHash"),
    )


def _ends(case: Case) -> tuple[End, End, bytes]:
    """Dialler, listener, and the id that was dialled."""
    dialler, listener = _end(case, "dialler", "listener"), _end(case, "listener", "dialler")
    return dialler, listener, bytes.fromhex(case["dialled"]) if "dialled" in case else listener.id


def check_handshake(case: Case) -> None:
    """A handshake: every message made and read, and the keys at both ends."""
    dialler, listener, dialled = _ends(case)
    m1 = make_m1(dialler, dialled)
    expect_equal("M1", m1.hex(), case["m1"])
    m2 = make_m2(m1, listener)
    expect_equal("M2", m2.hex(), case["m2"])
    listener_ephemeral = read_m2(m1, m2, dialler, dialled)
    m3 = make_m3(m1, m2, dialler, case["counter"], [[dialler.id, 1, 7, b"\x09" * 32]])
    expect_equal("M3", m3.hex(), case["m3"])
    read_m3((m1, m2, m3), listener)
    ours = session((m1, m2, m3), dialler, listener_ephemeral)
    expect_equal("both ends", session((m1, m2, m3), listener, x25519_base(dialler.ephemeral)), ours)
    for name, value in (("th2", ours.th2), ("th3", ours.th3), ("th4", ours.th4)):
        expect_equal(name, value.hex(), case[name])
    keys = (ours.dialler_to_listener, ours.listener_to_dialler, ours.session_id)
    for name, key in zip(("diallerToListener", "listenerToDialler", "sessionId"), keys, strict=True):
        expect_equal(name, key.hex(), case[name])


def check_m1(case: Case) -> None:
    """M1 at the listener."""
    read_m1(from_hex(case, "m1"), _ends(case)[1])


def check_m2(case: Case) -> None:
    """M2 at the dialler."""
    dialler, _, dialled = _ends(case)
    read_m2(from_hex(case, "m1"), from_hex(case, "m2"), dialler, dialled)


def check_m3(case: Case) -> None:
    """M3 at the listener."""
    read_m3((from_hex(case, "m1"), from_hex(case, "m2"), from_hex(case, "m3")), _ends(case)[1])


def check_frames(case: Case) -> None:
    """Frames of one direction."""
    frames = read_frames(from_hex(case, "key"), [bytes.fromhex(frame) for frame in case["frames"]])
    expect_equal("frames", [f"{kind} {payload.hex()}" for kind, payload in frames], case["read"])


def check_part(case: Case) -> None:
    """A part of an item."""
    (mailbox, identity, offset, total), data = read_part(from_hex(case, "payload"))
    found = (mailbox.hex(), identity.hex(), offset, total, data.hex())
    expect_equal("part", found, tuple(case[name] for name in ("mailbox", "id", "offset", "total", "bytes")))


def check_hop_ack(case: Case) -> None:
    """A hop acknowledgement."""
    mailbox, identity, outcome = read_hop_ack(from_hex(case, "payload"))
    found = (mailbox.hex(), identity.hex(), OUTCOMES[outcome])
    expect_equal("acknowledgement", found, (case["mailbox"], case["id"], case["outcome"]))


def check_credit(case: Case) -> None:
    """A credit."""
    expect_equal("total", read_credit(from_hex(case, "payload")), case["total"])


TUNNEL_CHECKS = {
    "handshake": check_handshake,
    "m1": check_m1,
    "m2": check_m2,
    "m3": check_m3,
    "frames": check_frames,
    "part": check_part,
    "hop ack": check_hop_ack,
    "credit": check_credit,
}
