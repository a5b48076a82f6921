"""Trees and proofs of RFC 6962 and RFC 9162 (SPEC.md section 15.2)."""

from collections.abc import Sequence

from .primitives import sha256
from .refused import Refused

MAX_PROOF_HASHES = 107
EMPTY_ROOT = sha256()


def leaf_hash(leaf: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(b"\x00", leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of two subtrees."""
    return sha256(b"\x01", left, right)


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Root over leaf hashes (RFC 6962 section 2.1)."""
    return roots_at(hashes, [len(hashes)])[len(hashes)]


def roots_at(hashes: Sequence[bytes], sizes: Sequence[int]) -> dict[int, bytes]:
    """Roots over the first leaves, for each of the sizes that there are leaves for."""
    wanted = {size for size in sizes if size <= len(hashes)}
    roots: dict[int, bytes] = {0: EMPTY_ROOT} if 0 in wanted else {}
    peaks: list[tuple[int, bytes]] = []
    for count, leaf in enumerate(hashes[: max(wanted, default=0)], start=1):
        width, subtree = 1, leaf
        while peaks and peaks[-1][0] == width:
            subtree = node_hash(peaks.pop()[1], subtree)
            width *= 2
        peaks.append((width, subtree))
        if count in wanted:
            roots[count] = _fold(peaks)
    return roots


def _fold(peaks: list[tuple[int, bytes]]) -> bytes:
    root = peaks[-1][1]
    for _, left in reversed(peaks[:-1]):
        root = node_hash(left, root)
    return root


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2; AUDIT_PROOF_INVALID where the proof does not hold."""
    _need(0 <= index < size and len(proof) <= MAX_PROOF_HASHES)
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        _need(last != 0)
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while not place & 1 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            computed = node_hash(computed, sibling)
        place, last = place >> 1, last >> 1
    _need(last == 0 and computed == root)


def check_consistency(first: int, second: int, proof: Sequence[bytes], roots: tuple[bytes, bytes]) -> None:
    """RFC 9162 section 2.1.4.2; AUDIT_PROOF_INVALID where the proof does not hold."""
    first_root, second_root = roots
    _need(0 <= first <= second and len(proof) <= MAX_PROOF_HASHES)
    if first == 0 or first == second:
        _need(not proof)
        _need(first_root == (EMPTY_ROOT if first == 0 else second_root))
        return
    _need(len(proof) > 0)
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        _need(last != 0)
        if place & 1 or place == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not place & 1 and place != 0:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        place, last = place >> 1, last >> 1
    _need(last == 0 and old == first_root and new == second_root)


def _need(condition: bool) -> None:
    if not condition:
        raise Refused("AUDIT_PROOF_INVALID")
