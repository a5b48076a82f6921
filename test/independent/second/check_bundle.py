"""Runs bundle.json, bundle-stream.json, bundle-content.json and bundle-carrier.json."""

from typing import Any

from . import tcbor
from .bundle import apply_body, digest, read_body, read_header, state_of
from .content import ENTRIES, FACTS, covers, fingerprint, read_payload
from .expecting import Case, all_from_hex, expect_equal, from_hex
from .open_item import Opener, open_item
from .refused import Refused
from .stream import ENTERS_QUARANTINE, Item, Receiver, judge
from .trust import Pin, begin
from .x_wing import expand


def check_digest(case: Case) -> None:
    """The digest of a state."""
    expect_equal("digest", digest(state_of(all_from_hex(case, "entries"))).hex(), case["digest"])


def check_header(case: Case) -> None:
    """A header and its context."""
    expect_equal("context", read_header(from_hex(case, "payload")).context.hex(), case["context"])


def check_body(case: Case) -> None:
    """A body, decoded and encoded again."""
    plaintext = from_hex(case, "plaintext")
    expect_equal("body", tcbor.encode(read_body(plaintext, case["direction"], case["form"])), plaintext)


def check_apply(case: Case) -> None:
    """The state that results."""
    body = read_body(from_hex(case, "plaintext"), case["direction"], case["form"])
    state = apply_body(state_of(all_from_hex(case, "held")), body, case["form"])
    expect_equal("entries", [state[key].hex() for key in sorted(state)], case["entries"])


def check_judge(case: Case) -> None:
    """The verdict on an item, and whether the node enters QUARANTINE."""
    try:
        verdict = judge(_receiver(case["receiver"]), _item(case["item"]))
    except Refused as refusal:
        expect_equal("quarantine", refusal.code in ENTERS_QUARANTINE, case["quarantine"])
        raise
    expect_equal("verdict", (verdict, False), (case["verdict"], case["quarantine"]))


def _receiver(value: dict[str, Any]) -> Receiver:
    head = value["head"]
    return Receiver(
        is_normal=value["mode"] == "NORMAL",
        epoch=value["epoch"],
        root_version=value["rootVersion"],
        head=head and ((head[0], head[1]), bytes.fromhex(head[2])),
        nonce=bytes.fromhex(value["nonce"]),
        recent={(epoch, seq): bytes.fromhex(identity) for epoch, seq, identity in value["recent"]},
        held={(epoch, seq): (bytes.fromhex(identity), length) for epoch, seq, identity, length in value["held"]},
    )


def _item(value: dict[str, Any]) -> Item:
    return Item(
        place=(value["epoch"], value["seq"]),
        id=bytes.fromhex(value["id"]),
        prev=bytes.fromhex(value["prev"]),
        is_snapshot=value["kind"] == "snapshot",
        root_version=value["rootVersion"],
        answers=[bytes.fromhex(answer) for answer in value["answers"]],
        body_length=value["bodyLength"],
    )


def check_entry_content(case: Case) -> None:
    """An entry's payload, decoded and encoded again."""
    payload = from_hex(case, "payload")
    expect_equal("payload", tcbor.encode(read_payload(ENTRIES, case["type"], payload)), payload)


def check_fact_content(case: Case) -> None:
    """A fact's payload, decoded and encoded again."""
    payload = from_hex(case, "payload")
    expect_equal("payload", tcbor.encode(read_payload(FACTS, case["type"], payload)), payload)


def check_fingerprint(case: Case) -> None:
    """The fingerprint of fields."""
    fields = [[name, bytes.fromhex(value)] for name, value in case["fields"]]
    expect_equal("fingerprint", fingerprint(from_hex(case, "key"), fields).hex(), case["fingerprint"])


def check_pattern(case: Case) -> None:
    """Whether a pattern covers a path."""
    expect_equal("covered", covers(case["pattern"], case["path"]), case["covered"])


def check_open(case: Case) -> None:
    """A carrier that a fresh receiver opens."""
    trust = begin(all_from_hex(case, "start"), Pin(case["pinVersion"], from_hex(case, "pinId")))
    key = expand(from_hex(case, "sealingSeed"))
    opener = Opener(trust, from_hex(case, "recipient"), key, from_hex(case, "nonce"), case["direction"])
    opened = open_item(from_hex(case, "carrier"), opener)
    found = (opened.id.hex(), opened.verdict, opened.plaintext.hex())
    expect_equal("opened", found, (case.get("id", found[0]), case["verdict"], case["plaintext"]))


BUNDLE_CHECKS = {
    "digest": check_digest,
    "header": check_header,
    "body": check_body,
    "apply": check_apply,
    "judge": check_judge,
    "entry content": check_entry_content,
    "fact content": check_fact_content,
    "fingerprint": check_fingerprint,
    "pattern": check_pattern,
    "open": check_open,
}
