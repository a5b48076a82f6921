"""Runs audit.json and audit-logs.json."""

from .expecting import Case, all_from_hex, expect_equal, from_hex
from .leaf import parse_leaf
from .log import Before, Head, LogInput, Member, serial_in, verify_log
from .merkle import check_consistency, check_inclusion, leaf_hash, root_of
from .notes import cosigned_at, parse_checkpoint, verified_names
from .tiles import TilePlace, parse_bundle, parse_tile_path, tile_path


def check_leaf(case: Case) -> None:
    """A leaf and its hash."""
    data = case["text"].encode("latin-1")
    parse_leaf(data)
    expect_equal("hash", leaf_hash(data).hex(), case.get("hash"))


def check_tree(case: Case) -> None:
    """The root over leaves."""
    expect_equal("root", root_of(list(map(leaf_hash, all_from_hex(case, "leaves")))).hex(), case["root"])


def check_inclusion_proof(case: Case) -> None:
    """An inclusion proof, and the root that it leads to."""
    leaf, root = from_hex(case, "leafHash"), from_hex(case, "root")
    check_inclusion(case["index"], case["size"], leaf, all_from_hex(case, "proof"), root)
    if "leaves" in case:
        hashes = list(map(leaf_hash, all_from_hex(case, "leaves")))
        expect_equal("leaf hash", hashes[case["index"]], leaf)
        expect_equal("root", root_of(hashes[: case["size"]]), root)


def check_consistency_proof(case: Case) -> None:
    """A consistency proof, and the two roots that it joins."""
    roots = (from_hex(case, "firstRoot"), from_hex(case, "secondRoot"))
    check_consistency(case["first"], case["second"], all_from_hex(case, "proof"), roots)
    if "leaves" in case:
        hashes = list(map(leaf_hash, all_from_hex(case, "leaves")))
        expect_equal("roots", (root_of(hashes[: case["first"]]), root_of(hashes[: case["second"]])), roots)


def check_tile_path(case: Case) -> None:
    """A path, both ways."""
    place = parse_tile_path(case["path"])
    expect_equal("place", place, TilePlace(**case["place"]))
    expect_equal("path", tile_path(place), case["path"])


def check_entry_bundle(case: Case) -> None:
    """The entries of a bundle."""
    expect_equal("leaves", parse_bundle(from_hex(case, "bytes")), all_from_hex(case, "leaves"))


def check_checkpoint(case: Case) -> None:
    """A checkpoint and the keys that signed it."""
    checkpoint = parse_checkpoint(case["text"].encode())
    signers = {signer["name"]: bytes.fromhex(signer["publicKey"]) for signer in case["signers"]}
    expect_equal("names", verified_names(checkpoint, signers), list(signers))
    expect_equal("origin", checkpoint.origin, case["origin"])
    expect_equal("head", (checkpoint.size, checkpoint.root.hex()), (case["size"], case["root"]))


def check_cosignature(case: Case) -> None:
    """The time at which a witness cosigned, if it did."""
    checkpoint = parse_checkpoint(case["text"].encode())
    expect_equal("time", cosigned_at(checkpoint, case["witness"], from_hex(case, "key")), case.get("time"))


def check_log(case: Case) -> None:
    """A whole log and what a verifier finds in it."""
    member = case["member"]
    keys = (bytes.fromhex(member["logKey"]), bytes.fromhex(member["epochKey"]))
    hashes = from_hex(case, "hashes")
    before = case.get("before")
    who = Member(member["trustDomain"], member["node"], *keys)
    serials = [serial_in(anchor["origin"], who) for anchor in case["anchors"]]
    verdict = verify_log(
        LogInput(
            member=who,
            entries=[leaf.encode("latin-1") for leaf in case["leaves"]],
            stored=[hashes[at : at + 32] for at in range(0, len(hashes), 32)],
            checkpoints=[note.encode() for note in case["checkpoints"]],
            anchors=[Head(anchor["size"], bytes.fromhex(anchor["root"])) for anchor in case["anchors"]],
            before=before and Before(before["count"], [line.encode("latin-1") for line in before["successions"]]),
            serial=serials[0] if serials else None,
        )
    )
    expect_equal("findings", [[finding.kind, finding.index] for finding in verdict.findings], case["findings"])
    expect_equal("sealed size", verdict.sealed_size, case["sealedSize"])


AUDIT_CHECKS = {
    "leaf": check_leaf,
    "tree": check_tree,
    "inclusion": check_inclusion_proof,
    "consistency": check_consistency_proof,
    "tile path": check_tile_path,
    "entry bundle": check_entry_bundle,
    "checkpoint": check_checkpoint,
    "cosignature": check_cosignature,
    "log": check_log,
}
