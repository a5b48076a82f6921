"""Runs notice.json and media.json."""

from .envelope import read_envelope
from .expecting import Case, all_from_hex, expect_equal, from_hex
from .items import KINDS, open_manifest, open_notice
from .trust import Pin, Trust, begin


def _trust(case: Case) -> Trust:
    first, *others = all_from_hex(case, "statements")
    return begin([first], Pin(1, read_envelope(first).id)).apply(others)


def check_notice(case: Case) -> None:
    """A notice, opened."""
    notice = open_notice(from_hex(case, "notice"), _trust(case))
    found = (notice.state, notice.zone, notice.account_id.hex(), notice.node_id.hex(), notice.index, notice.leaf)
    index, leaf = (case["epoch"], case["number"]), (case["leafSerial"], case["leafIndex"])
    expect_equal("notice", found, (case["state"], case["zone"], case["accountId"], case["nodeId"], index, leaf))


def check_manifest(case: Case) -> None:
    """A manifest, opened."""
    manifest = open_manifest(from_hex(case, "manifest"), _trust(case))
    names = " ".join(f"{file[1].hex()}.{KINDS[file[0]]}" for file in manifest.files)
    found = (manifest.node_id.hex(), manifest.write_id.hex(), manifest.time, names)
    expect_equal("manifest", found, (case["nodeId"], case["writeId"], [case["lo"], case["hi"]], case["names"]))


NOTICE_CHECKS = {None: check_notice}
MEDIA_CHECKS = {None: check_manifest}
