"""The folder of a log and exports of it (SPEC.md section 15.5)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import tcbor
from .documents import Root, parse_member
from .envelope import read_envelope
from .leaf import MAX_LEAF_BYTES
from .log import Before, Head, LogInput, Member, believed_serials, serial_in
from .merkle import leaf_hash
from .notes import MAX_NOTE_BYTES, Checkpoint, cosigned_at, parse_checkpoint, verified_names
from .refused import Refused
from .shapes import array, bstr, decode_as
from .text_forms import base32
from .tiles import TILE_WIDTH, TilePlace, parse_tile_path, split_bundle
from .trust import Pin, Trust, begin

MAX_BUNDLE_BYTES = TILE_WIDTH * (2 + MAX_LEAF_BYTES)
MAX_TRUST_BYTES = 71_320_576
WITNESS = "/tidegate/1/witness/"
EXPORT_NAME = re.compile(r"[0-9]+-[0-9]+-([0-9]+)", re.ASCII)


class FolderError(Exception):
    """The folder cannot be judged: something that verifying needs is not there."""


class TooFewHashes(FolderError):
    """The hash tiles do not cover the entries before the copy."""


@dataclass(frozen=True)
class Folder:
    """What a folder holds, ready to be verified."""

    path: Path
    trust: Trust
    log: LogInput
    first: int
    hash_tiles: dict[TilePlace, bytes]
    archived: int = 0


@dataclass(frozen=True)
class Auditor:
    """What the auditor brings: the vault's id where she knows it, heads that were kept elsewhere, folders of the log on media."""

    anchors: Sequence[Path] = ()
    vault: bytes | None = None
    archives: Sequence[Path] = ()


def first_bundle(path: Path, first: int, auditor: Auditor) -> int:
    """The first entry of the first bundle that there is, from entry `first` on."""
    places = [place for folder in (path, *auditor.archives) for place in _read_tiles(folder) if place.level == "entries"]
    return min((start for place in places if (start := place.index * TILE_WIDTH) >= first), default=first)


def read_folder(path: Path, first: int, auditor: Auditor) -> Folder:
    """Reads a folder whose copy begins with entry `first`."""
    if first % TILE_WIDTH:
        raise FolderError(f"a copy begins with a bundle, so with a multiple of {TILE_WIDTH}")
    trust, member = _read_trust(path, auditor.vault)
    tiles = _read_tiles(path)
    stored = _stored_hashes(tiles)
    if len(stored) < first:
        raise TooFewHashes(f"hash tiles cover {len(stored)} entries, and the copy begins with {first}")
    if not any(place.level == "entries" and place.index * TILE_WIDTH >= first for place in tiles):
        raise FolderError("there are no entries")
    successions = _lines(path / "keys.jsonl") if first else []
    notes = [*_archived_notes(path, auditor), *_notes(path)]
    heads, serial = _read_anchors(auditor.anchors, member, trust.newest)
    serials = believed_serials(notes, member)
    if serial is not None and serials and serial not in serials:
        raise FolderError("an anchor is a head of another log")
    entries = _read_entries(tiles, first)
    earlier = _earlier_entries(tiles, first, auditor.archives)
    log = LogInput(
        member=member,
        entries=[*earlier, *entries],
        stored=stored,
        checkpoints=notes,
        anchors=heads,
        before=Before(first, successions) if first else None,
        serial=serial,
    )
    hash_tiles = {place: data for place, data in tiles.items() if place.level != "entries"}
    return Folder(path, trust, log, first, hash_tiles, len(earlier))


def archived_sizes(auditor: Auditor) -> set[int]:
    """The sizes of the newest checkpoints of the archives."""
    newest = [archive / "checkpoint" for archive in auditor.archives]
    sizes = {_size_in(_read(note, MAX_NOTE_BYTES)) for note in newest if note.is_file()}
    return {size for size in sizes if size is not None}


def _archived_notes(path: Path, auditor: Auditor) -> list[bytes]:
    """Checkpoints of the archives; of an export those that it can reach, as a newer archive only says that it was taken before."""
    notes = [note for archive in auditor.archives for note in _notes(archive)]
    name = EXPORT_NAME.fullmatch(path.resolve().name)
    return notes if name is None else [note for note in notes if (_size_in(note) or 0) <= int(name[1])]


def _notes(path: Path) -> list[bytes]:
    return [_read(note, MAX_NOTE_BYTES) for note in _checkpoint_files(path)]


def _size_in(note: bytes) -> int | None:
    try:
        return parse_checkpoint(note).size
    except Refused:
        return None


def _checkpoint_files(path: Path) -> list[Path]:
    epochs = [note for note in (path / "epochs").glob("*") if re.fullmatch(r"[0-9]+", note.name, re.ASCII)]
    return [note for note in [*sorted(epochs, key=lambda note: int(note.name)), path / "checkpoint"] if note.is_file()]


def _earlier_entries(tiles: dict[TilePlace, bytes], first: int, archives: Sequence[Path]) -> list[bytes]:
    """Entries of the full bundles that archives hold from before the folder's first."""
    end = min(place.index for place in tiles if place.level == "entries" and place.index * TILE_WIDTH >= first)
    found: dict[TilePlace, bytes] = {}
    for archive in archives:
        for place, data in _read_tiles(archive).items():
            if place.level == "entries" and place.width == TILE_WIDTH and place.index < end:
                found.setdefault(place, data)
    return _read_entries(found, first)


def _read(path: Path, limit: int) -> bytes:
    if not path.is_file() or path.is_symlink():
        raise FolderError(f"{path} is not there")
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise FolderError(f"{path} is too large")
    return data


def _read_trust(path: Path, vault: bytes | None) -> tuple[Trust, Member]:
    """The chain of roots proves itself; without the vault's id it proves no more than that somebody made it."""
    envelopes = decode_as(_read(path / "roots.cbor", MAX_TRUST_BYTES), array(bstr(1, 65_536), 1, 65_536), "TRUST_MALFORMED")
    newest = read_envelope(envelopes[-1], "root")
    version = tcbor.decode(newest.payload).get(1)
    trust = begin(envelopes, Pin(version, newest.id))
    if vault is not None and trust.vault_id != vault:
        raise Refused("TRUST_OTHER_VAULT")
    statement = trust.shown(_read(path / "member.cbor", 65_536))
    domain, node = trust.newest.trust_domain, base32(statement.node_id)
    return trust, Member(domain, node, statement.log_key, statement.epoch_key)


def _read_tiles(path: Path) -> dict[TilePlace, bytes]:
    """The widest tile of each level and index."""
    widest: dict[tuple[int | str, int], tuple[TilePlace, Path]] = {}
    for file in (path / "tile").rglob("*"):
        try:
            place = parse_tile_path(file.relative_to(path).as_posix())
        except Refused:
            continue
        key = (place.level, place.index)
        if file.is_file() and not file.is_symlink() and (key not in widest or widest[key][0].width < place.width):
            widest[key] = (place, file)
    limit = {True: MAX_BUNDLE_BYTES, False: 32 * TILE_WIDTH}
    return {place: _read_tile(file, limit[place.level == "entries"]) for place, file in widest.values()}


def _read_tile(path: Path, limit: int) -> bytes:
    """A tile, with one byte behind the limit where it is larger: then it is what no entries lead to."""
    with path.open("rb") as file:
        return file.read(limit + 1)


def _stored_hashes(tiles: dict[TilePlace, bytes]) -> list[bytes]:
    hashes: list[bytes] = []
    for place, data in sorted(((place, data) for place, data in tiles.items() if place.level == 0), key=_by_index):
        if place.index * TILE_WIDTH != len(hashes):
            break
        usable = len(data) - len(data) % 32
        hashes += [data[at : at + 32] for at in range(0, min(usable, 32 * place.width), 32)]
    return hashes


def _read_entries(tiles: dict[TilePlace, bytes], first: int) -> list[bytes]:
    """Entries in the order of the bundles; what cannot be read of a bundle is one entry that is no leaf."""
    entries: list[bytes] = []
    for place, data in sorted(((place, data) for place, data in tiles.items() if place.level == "entries"), key=_by_index):
        if place.index * TILE_WIDTH < first:
            continue
        found, whole = split_bundle(data)
        entries += found if whole or not data else [*found, b""]
    return entries


def _by_index(item: tuple[TilePlace, bytes]) -> int:
    return item[0].index


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []


def _read_anchors(paths: Iterable[Path], member: Member, newest: Root) -> tuple[list[Head], int | None]:
    """Heads that somebody else kept, and the serial that they name; each needs the log key's signature or a witness's."""
    heads: list[Head] = []
    serials: set[int | None] = set()
    for path in paths:
        checkpoint = parse_checkpoint(_read(path, MAX_NOTE_BYTES))
        names = verified_names(checkpoint, {checkpoint.origin: member.log_key})
        if not names and not _is_cosigned(checkpoint, newest):
            raise Refused("AUDIT_CHECKPOINT_UNSIGNED")
        serials.add(serial_in(checkpoint.origin, member))
        heads.append(Head(checkpoint.size, checkpoint.root))
    if None in serials or len(serials) > 1:
        raise FolderError("an anchor is a head of another log")
    return heads, next(iter(serials), None)


def _is_cosigned(checkpoint: Checkpoint, newest: Root) -> bool:
    witnesses = [line.name for line in checkpoint.signatures if line.name.startswith(newest.trust_domain + WITNESS)]
    return any(cosigned_at(checkpoint, name, key) is not None for name in witnesses for key in newest.witness_keys)


def entry_hashes(folder: Folder) -> list[bytes]:
    """Hashes of all entries, those before the copy as they are stored."""
    return [*folder.log.stored[: folder.first], *map(leaf_hash, folder.log.entries)]
