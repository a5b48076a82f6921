"""Runs envelope.json and trust.json."""

from . import tcbor
from .documents import parse_member, parse_revoked, parse_root
from .envelope import Envelope, pae, read_carrier, read_envelope
from .expecting import Case, all_from_hex, expect_equal, from_hex
from .trust import Pin, Trust, begin


def check_pae(case: Case) -> None:
    """The bytes that are signed."""
    expect_equal("PAE", pae(case["type"], from_hex(case, "payload")).hex(), case["pae"])


def check_envelope(case: Case) -> None:
    """An envelope under the key that should have signed."""
    envelope = read_envelope(from_hex(case, "bytes"))
    envelope.verify(from_hex(case, "publicKey"))
    found = {"type": envelope.type, "payload": envelope.payload.hex(), "id": envelope.id.hex()}
    for name, value in found.items():
        expect_equal(name, value, case.get(name, value))


def check_carrier(case: Case) -> None:
    """A carrier and its parts."""
    carrier = read_carrier(from_hex(case, "bytes"))
    expect_equal("statements", len(carrier.statements), case["statements"])
    expect_equal("parts", (carrier.envelope.hex(), carrier.body.hex()), (case["envelope"], case["body"]))


def check_payload(case: Case) -> None:
    """A document, decoded and encoded again."""
    payload = from_hex(case, "payload")
    parse = {"root": parse_root, "member": parse_member, "revoked": parse_revoked}[case["type"]]
    parse(Envelope(case["type"], payload, ((bytes(20), bytes(64)),), b""))
    expect_equal("payload", tcbor.encode(tcbor.decode(payload)), payload)


def _applied(case: Case) -> Trust:
    trust = begin(all_from_hex(case, "start"), Pin(case["pinVersion"], from_hex(case, "pinId")))
    for statements in case["apply"]:
        trust = trust.apply([bytes.fromhex(statement) for statement in statements])
    return trust


def check_chain(case: Case) -> None:
    """The version of the newest root."""
    expect_equal("newest", _applied(case).newest.version, case["newest"])


def check_statements(case: Case) -> None:
    """The serial under which a node is trusted."""
    expect_equal("serial", _applied(case).trusted(from_hex(case, "ask")).serial, case["serial"])


def check_shown(case: Case) -> None:
    """A statement that a peer shows."""
    _applied(case).shown(from_hex(case, "shows"))


TRUST_CHECKS = {
    "pae": check_pae,
    "envelope": check_envelope,
    "carrier": check_carrier,
    "payload": check_payload,
    "chain": check_chain,
    "statements": check_statements,
    "shown": check_shown,
}
