"""The verifier of a whole log (SPEC.md section 15.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .epochs import EPOCH_ACTION, follow, judge_seals
from .findings import Finding, in_order
from .leaf import Leaf, parse_leaf
from .merkle import leaf_hash, roots_at
from .notes import Checkpoint, parse_checkpoint, verified_names
from .places import arrange, judge_structure
from .refused import Refused
from .text_forms import strict_decimal

STRUCTURE = ("EDIT", "DELETE", "REORDER", "TRUNCATED")


@dataclass(frozen=True)
class Member:
    """What the node's member statement and the root document say of its logs."""

    trust_domain: str
    node: str
    log_key: bytes
    epoch_key: bytes


@dataclass(frozen=True)
class Head:
    """Size and root of a log at some time."""

    size: int
    root: bytes


@dataclass(frozen=True)
class Before:
    """Of a copy that begins later: the number of entries before it, and the lines of keys.jsonl."""

    count: int
    successions: Sequence[bytes]


@dataclass(frozen=True)
class LogInput:
    """All that a verifier looks at; `serial` is that of the anchors' origin, where it is known."""

    member: Member
    entries: Sequence[bytes]
    stored: Sequence[bytes]
    checkpoints: Sequence[bytes]
    anchors: Sequence[Head] = ()
    before: Before | None = None
    serial: int | None = None


@dataclass(frozen=True)
class Verdict:
    """Findings in their order, and the greatest size that a fitting head seals."""

    findings: list[Finding]
    sealed_size: int
    places: list[int] = field(default_factory=list)
    archives: list[Leaf] = field(default_factory=list)

    @property
    def archived_until(self) -> int:
        """The greatest `until` that a told `audit.archive` leaf names; -1 without one."""
        return max((until for leaf in self.archives if type(until := leaf.details["until"]) is int), default=-1)


@dataclass(frozen=True)
class _Entries:
    """Entries with their hashes and, where they are leaves of this log, their leaves; those before a late copy first."""

    hashes: list[bytes]
    claims: list[int | None]
    leaves: dict[int, Leaf]
    successions: list[tuple[int, Leaf]]


def verify_log(log: LogInput) -> Verdict:
    """Finds what is wrong with a log."""
    checkpoints, serial, findings = _counting(log)
    entries = _read_entries(log, serial)
    heads = [Head(point.size, point.root) for point in checkpoints] + list(log.anchors)
    fitting = _fitting(heads, entries.hashes)
    proven = 0 if len(fitting) == len(heads) else max((head.size for head in _fitting(heads, log.stored)), default=0)
    arrangement = arrange(entries.claims, entries.hashes, log.stored, proven)
    structure = judge_structure(arrangement, max((head.size for head in heads), default=0))
    unfit = _judge_heads(heads, fitting) if not structure else []
    if serial is not None and not any(finding.kind in STRUCTURE for finding in structure + unfit):
        origin = _origin(log.member, serial)
        leaves = [(claim, entries.leaves[at]) for at, claim in enumerate(entries.claims) if claim is not None and at in entries.leaves]
        in_order_of_place = sorted([*entries.successions, *leaves], key=lambda item: item[0])
        chain = follow(origin, log.member.epoch_key, in_order_of_place)
        sealing, epoch_findings = judge_seals(chain, checkpoints)
        findings += epoch_findings
        heads = [Head(point.size, point.root) for point in sealing] + list(log.anchors)
        fitting = _fitting(heads, entries.hashes)
        unfit = _judge_heads(heads, fitting)
    sealed_up_to = max((head.size for head in heads), default=0)
    if any(place >= sealed_up_to for place in arrangement.places):
        findings.append(Finding("UNSEALED-TAIL", sealed_up_to))
    sealed_size = max((head.size for head in fitting), default=0)
    told = _told_archives(entries, set(arrangement.places), max(sealed_size, proven))
    return Verdict(in_order(findings + structure + unfit), sealed_size, arrangement.places, told)


def _told_archives(entries: _Entries, places: set[int], end: int) -> list[Leaf]:
    """The `audit.archive` leaves that are told as notices."""
    placed = [leaf for leaf in entries.leaves.values() if leaf.action == "audit.archive" and leaf.index in places and leaf.index < end]
    return [leaf for leaf in placed if leaf.outcome == "ok" and type(leaf.details.get("until")) is int]


def _origin(member: Member, serial: int) -> str:
    return f"{member.trust_domain}/tidegate/1/log/{member.node}/{serial}"


def _counting(log: LogInput) -> tuple[list[Checkpoint], int | None, list[Finding]]:
    """Step 1: the checkpoints that count, the serial if it is known, and KEY-EPOCH at 0 where one does not count."""
    counting: list[Checkpoint] = []
    serial = log.serial
    findings: list[Finding] = []
    for note in log.checkpoints:
        checkpoint = _verified(note, log.member)
        number = serial_in(checkpoint.origin, log.member) if checkpoint else None
        if checkpoint is None or number is None or serial not in (None, number):
            findings.append(Finding("KEY-EPOCH", 0))
            continue
        serial = number
        counting.append(checkpoint)
    return counting, serial, findings


def _verified(note: bytes, member: Member) -> Checkpoint | None:
    try:
        checkpoint = parse_checkpoint(note)
        names = verified_names(checkpoint, {checkpoint.origin: member.log_key})
    except Refused:
        return None
    return checkpoint if checkpoint.origin in names else None


def believed_serials(notes: Sequence[bytes], member: Member) -> set[int]:
    """Serials of the logs of this member whose checkpoints bear the log key's signature."""
    origins = [checkpoint.origin for note in notes if (checkpoint := _verified(note, member))]
    return {serial for origin in origins if (serial := serial_in(origin, member)) is not None}


def serial_in(origin: str, member: Member) -> int | None:
    """The serial in an origin of this member's logs, or None."""
    prefix = f"{member.trust_domain}/tidegate/1/log/{member.node}/"
    return strict_decimal(origin[len(prefix) :]) if origin.startswith(prefix) else None


def _leaf_or_none(entry: bytes) -> Leaf | None:
    try:
        return parse_leaf(entry)
    except Refused:
        return None


def _is_of(leaf: Leaf, member: Member, serial: int | None) -> bool:
    return leaf.node == member.node and serial in (None, leaf.log)


def _read_entries(log: LogInput, serial: int | None) -> _Entries:
    before = log.before.count if log.before else 0
    if len(log.stored) < before:
        raise Refused("AUDIT_INCOMPLETE")
    hashes, claims = list(log.stored[:before]), list[int | None](range(before))
    leaves: dict[int, Leaf] = {}
    for entry in log.entries:
        leaf = _leaf_or_none(entry)
        if leaf is not None and _is_of(leaf, log.member, serial):
            leaves[len(claims)] = leaf
            claims.append(leaf.index)
        else:
            claims.append(None)
        hashes.append(leaf_hash(entry))
    return _Entries(hashes, claims, leaves, _successions_before(log, serial))


def _successions_before(log: LogInput, serial: int | None) -> list[tuple[int, Leaf]]:
    if log.before is None:
        return []
    found: dict[int, Leaf] = {}
    for line in log.before.successions:
        leaf = _leaf_or_none(line)
        if leaf is None or not _is_of(leaf, log.member, serial) or leaf.action != EPOCH_ACTION:
            continue
        if leaf.index < log.before.count and log.stored[leaf.index] == leaf_hash(line):
            found[leaf.index] = leaf
    return sorted(found.items())


def _fitting(heads: Sequence[Head], hashes: Sequence[bytes]) -> list[Head]:
    roots = roots_at(hashes, [head.size for head in heads])
    return [head for head in heads if roots.get(head.size) == head.root]


def _judge_heads(heads: Sequence[Head], fitting: Sequence[Head]) -> list[Finding]:
    """Step 4: what heads that do not fit say; one finding an index."""
    findings: set[Finding] = set()
    for head in heads:
        if head in fitting:
            continue
        index = max((other.size for other in fitting if other.size < head.size), default=0)
        is_fork = any(other.size >= head.size for other in fitting)
        findings.add(Finding("FORK" if is_fork else "EDIT", index))
    return list(findings)
