"""Judges a folder as a whole: the log, and whatever else lies beside it (SPEC.md section 15.5)."""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .findings import Finding, in_order
from .folder import EXPORT_NAME, WITNESS, Auditor, Folder, TooFewHashes, archived_sizes, entry_hashes, first_bundle, read_folder
from .log import Verdict, verify_log
from .merkle import check_consistency, root_of
from .notes import cosigned_at, parse_checkpoint
from .primitives import sha256
from .refused import Refused
from .tiles import TILE_WIDTH, TilePlace


PROVED = re.compile(r"(tile|epochs)/.*|checkpoint|(entries|keys)\.jsonl|(member|roots)\.cbor")
ALWAYS = ("entries.jsonl", "keys.jsonl", "proof.json", "custody.json", "summary.html", "summary.csv", "checkpoint.png")


@dataclass(frozen=True)
class Report:
    """Findings in the log, the size that is sealed, and faults of files that the log does not prove."""

    findings: list[Finding]
    sealed_size: int
    entries: int
    problems: list[str]


def verify_path(path: Path, first: int, auditor: Auditor) -> Report:
    """Verifies a folder from the entry that the auditor expects on; what is missing there may have been archived."""
    begins = first_bundle(path, first, auditor)
    if begins > first:
        try:
            folder = read_folder(path, begins, auditor)
        except TooFewHashes:
            pass
        else:
            verdict = verify_log(folder.log)
            if verdict.archived_until >= begins:
                promised = _first_promised(verdict, archived_sizes(auditor), begins)
                if promised is None:
                    return _report(folder, verdict, auditor)
                first = max(first, promised - promised % TILE_WIDTH)
    folder = read_folder(path, first, auditor)
    return _report(folder, verify_log(folder.log), auditor)


def _first_promised(verdict: Verdict, sizes: set[int], begins: int) -> int | None:
    """The first entry below `begins` that a given archive ought to hold, as the log says of it."""
    told = [leaf.details.get("from") for leaf in verdict.archives if leaf.details.get("size") in sizes]
    return min((first for first in told if type(first) is int and first < begins), default=None)


def _report(folder: Folder, verdict: Verdict, auditor: Auditor) -> Report:
    findings = list(verdict.findings)
    hashes = entry_hashes(folder)
    problems = [*_check_manifest(folder.path), *_check_cosigned(folder)]
    problems += [f"{archive}/{problem}" for archive in auditor.archives for problem in _check_manifest(archive)]
    if all(finding.kind == "UNSEALED-TAIL" for finding in findings):
        findings += _compare_lines(folder) + _compare_hash_tiles(folder.hash_tiles, hashes)
        problems += _check_proof(folder, hashes)
    return Report(in_order(findings), verdict.sealed_size, len(hashes), problems)


def _compare_lines(folder: Folder) -> list[Finding]:
    """EDIT at the first entry in which entries.jsonl differs from the bundles."""
    path = folder.path / "entries.jsonl"
    if not path.is_file():
        return []
    found = path.read_bytes()
    own = folder.log.entries[folder.archived :]
    expected = b"".join(entry + b"\n" for entry in own)
    if found == expected:
        return []
    lines = found.split(b"\n")
    pairs = zip(own, lines, strict=False)
    same = next((at for at, (entry, line) in enumerate(pairs) if entry != line), None)
    return [Finding("EDIT", folder.first + folder.archived + (min(len(lines) - 1, len(own)) if same is None else same))]


def _compare_hash_tiles(tiles: dict[TilePlace, bytes], hashes: list[bytes]) -> list[Finding]:
    """EDIT at the first index of each tile that is another one than the entries lead to."""
    findings: list[Finding] = []
    level = list(hashes)
    for number in range(64):
        for place, data in tiles.items():
            start = place.index * TILE_WIDTH
            is_whole = len(data) == 32 * place.width
            if place.level == number and not (is_whole and data == b"".join(level[start : start + place.width])):
                findings.append(Finding("EDIT", start * TILE_WIDTH**number))
        whole = len(level) // TILE_WIDTH * TILE_WIDTH
        level = [root_of(level[at : at + TILE_WIDTH]) for at in range(0, whole, TILE_WIDTH)]
    return findings


def _check_manifest(path: Path) -> list[str]:
    """What MANIFEST lists and is not there, or, where entries do not prove it, not as listed; only an export has one."""
    manifest = path / "MANIFEST"
    if not manifest.is_file():
        return ["MANIFEST is missing"] if EXPORT_NAME.fullmatch(path.resolve().name) else []
    lines = manifest.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not all(len(digest) == 64 and ".." not in PurePosixPath(name).parts for name, digest in listed.items()):
        return ["MANIFEST is malformed"]
    cosigned = [file.relative_to(path).as_posix() for file in (path / "cosigned").glob("*") if file.is_file()]
    problems = []
    for name in sorted({*listed, *ALWAYS, *cosigned}):
        file = path / name
        if not file.is_file() or file.is_symlink():
            problems.append(f"{name} is missing")
        elif name not in listed:
            problems.append(f"{name} is not listed")
        elif not PROVED.fullmatch(name) and listed[name] != sha256(file.read_bytes()).hex():
            problems.append(f"{name} is not as listed")
    return problems


def _check_proof(folder: Folder, hashes: list[bytes]) -> list[str]:
    """Whether proof.json proves that the checkpoint follows from the head that it names."""
    file = folder.path / "proof.json"
    if not file.is_file():
        return []
    try:
        proof = json.loads(file.read_bytes())
        if proof is None:
            return []
        size, root = proof["from"]["size"], base64.b64decode(proof["from"]["root"], validate=True)
        proof_hashes = [base64.b64decode(item, validate=True) for item in proof["hashes"]]
        newest = parse_checkpoint((folder.path / "checkpoint").read_bytes())
        if newest.size != proof["to"]:
            raise ValueError
        check_consistency(size, newest.size, proof_hashes, (root, root_of(hashes[: newest.size])))
    except (Refused, ValueError, KeyError, TypeError, OSError):
        return ["proof.json proves nothing"]
    return []


def _check_cosigned(folder: Folder) -> list[str]:
    """Whether each note of another node's log is named by its file and cosigned by a witness of any root."""
    root = folder.trust.newest
    keys = [key for each in folder.trust.roots for key in each.witness_keys]
    problems = []
    for file in sorted((folder.path / "cosigned").glob("*")):
        try:
            checkpoint = parse_checkpoint(file.read_bytes())
            names = [line.name for line in checkpoint.signatures if line.name.startswith(root.trust_domain + WITNESS)]
            cosigned = any(cosigned_at(checkpoint, name, key) for name in names for key in keys)
        except Refused:
            cosigned = False
        if not cosigned or not checkpoint.origin.startswith(f"{root.trust_domain}/tidegate/1/log/{file.name}/"):
            problems.append(f"cosigned/{file.name} is not cosigned")
    return problems
