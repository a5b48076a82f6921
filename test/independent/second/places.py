"""Where each entry of a log belongs, and what that says of its structure (SPEC.md section 15.6, steps 2 and 3)."""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass

from .findings import Finding


@dataclass(frozen=True)
class Stranger:
    """An entry without a place: what it claims, and how many entries with a place stand before it."""

    claim: int | None
    placed_before: int


@dataclass(frozen=True)
class Arrangement:
    """Places in file order, and the entries that have none."""

    places: list[int]
    strangers: list[Stranger]


def arrange(claims: Sequence[int | None], hashes: Sequence[bytes], stored: Sequence[bytes], proven: int) -> Arrangement:
    """Step 2: gives each entry its place."""
    count = len(claims)
    last_inside = max((at for at, claim in enumerate(claims) if claim is not None and claim < count), default=-1)
    places: list[int] = []
    strangers: list[Stranger] = []
    taken: set[int] = set()
    for at, claim in enumerate(claims):
        if claim is None or claim in taken:
            fits = False
        elif claim < proven:
            fits = stored[claim] == hashes[at]
        else:
            fits = claim < count or last_inside <= at
        if fits and claim is not None:
            taken.add(claim)
            places.append(claim)
        else:
            strangers.append(Stranger(claim, len(places)))
    return Arrangement(places, strangers)


def judge_structure(arrangement: Arrangement, end: int) -> list[Finding]:
    """Step 3: REORDER, EDIT, DELETE and TRUNCATED."""
    places = arrangement.places
    ordered = sorted(places)
    findings = _reordered(places, ordered)
    by_gap: dict[int, list[Stranger]] = {}
    for stranger in arrangement.strangers:
        by_gap.setdefault(stranger.placed_before, []).append(stranger)
    for gap in range(len(ordered) + 1):
        low = ordered[gap - 1] + 1 if gap > 0 else 0
        is_last = gap == len(ordered)
        high = max(low, end) if is_last else ordered[gap]
        strangers = by_gap.get(gap, [])
        if low == high and not strangers:
            continue
        replaced, extra = _replace(strangers, low, high)
        findings += [Finding("EDIT", index) for index in replaced]
        if is_last:
            findings += [Finding("EDIT", high + at) for at in range(extra)]
        else:
            findings += [Finding("EDIT", ordered[gap])] * extra
        findings += _missing(replaced, low, high, is_last)
    return findings


def _reordered(places: list[int], ordered: list[int]) -> list[Finding]:
    rank = {place: at for at, place in enumerate(ordered)}
    findings: list[Finding] = []
    start, highest = 0, -1
    for at, place in enumerate(places):
        highest = max(highest, rank[place])
        if highest == at:
            if at > start:
                findings.append(Finding("REORDER", ordered[start]))
            start = at + 1
    return findings


def _replace(strangers: list[Stranger], low: int, high: int) -> tuple[list[int], int]:
    """Missing indices that strangers stand for, ascending, and the number of strangers that are left over."""
    claimed = {stranger.claim for stranger in strangers if stranger.claim is not None and low <= stranger.claim < high}
    replaced = sorted(claimed)
    others = len(strangers) - len(replaced)
    candidate = low
    while others > 0 and candidate < high:
        if candidate not in claimed:
            insort(replaced, candidate)
            others -= 1
        candidate += 1
    return replaced, others


def _missing(replaced: list[int], low: int, high: int, is_last: bool) -> list[Finding]:
    """The runs of indices from low to below high that nothing stands for."""
    findings: list[Finding] = []
    for start, stop in zip([low, *(index + 1 for index in replaced)], [*replaced, high], strict=True):
        if start < stop:
            reaches_end = is_last and stop == high
            findings.append(Finding("TRUNCATED" if reaches_end else "DELETE", start))
    return findings
