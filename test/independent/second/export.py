"""Judges a folder as a whole: the log, and whatever else lies beside it (SPEC.md section 15.5)."""

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .findings import Finding, in_order
from .folder import WITNESS, Folder, entry_hashes
from .log import verify_log
from .merkle import check_consistency, root_of
from .notes import cosigned_at, parse_checkpoint
from .primitives import sha256
from .refused import Refused
from .tiles import TILE_WIDTH, TilePlace


EXPORT_NAME = re.compile(r"[0-9]+-[0-9]+-[0-9]+", re.ASCII)
UNPROVED = ("cosigned/*", "proof.json", "custody.json", "summary.html", "summary.csv", "checkpoint.png")


@dataclass(frozen=True)
class Report:
    """Findings in the log, the size that is sealed, and faults of files that the log does not prove."""

    findings: list[Finding]
    sealed_size: int
    entries: int
    problems: list[str]


def verify_folder(folder: Folder) -> Report:
    """Verifies the log of a folder and the files beside it."""
    verdict = verify_log(folder.log)
    findings = list(verdict.findings)
    hashes = entry_hashes(folder)
    problems = [*_check_manifest(folder.path), *_check_cosigned(folder)]
    if all(finding.kind == "UNSEALED-TAIL" for finding in findings):
        findings += _compare_lines(folder) + _compare_hash_tiles(folder.hash_tiles, hashes)
        problems += _check_proof(folder.path, hashes)
    return Report(in_order(findings), verdict.sealed_size, len(hashes), problems)


def _compare_lines(folder: Folder) -> list[Finding]:
    """EDIT at the first entry in which entries.jsonl differs from the bundles."""
    path = folder.path / "entries.jsonl"
    if not path.is_file():
        return []
    found = path.read_bytes()
    expected = b"".join(entry + b"\n" for entry in folder.log.entries)
    if found == expected:
        return []
    lines = found.split(b"\n")
    pairs = zip(folder.log.entries, lines, strict=False)
    same = next((at for at, (entry, line) in enumerate(pairs) if entry != line), None)
    return [Finding("EDIT", folder.first + (min(len(lines) - 1, len(folder.log.entries)) if same is None else same))]


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
    """Files that the entries do not prove and MANIFEST does not list as they are; only an export has one."""
    manifest = path / "MANIFEST"
    if not manifest.is_file():
        return ["MANIFEST is missing"] if EXPORT_NAME.fullmatch(path.resolve().name) else []
    lines = manifest.read_bytes().decode("utf-8", "replace").split("\n")[:-1]
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    if not all(len(digest) == 64 and ".." not in PurePosixPath(name).parts for name, digest in listed.items()):
        return ["MANIFEST is malformed"]
    present = [file for pattern in UNPROVED for file in path.glob(pattern) if file.is_file()]
    names = {file.relative_to(path).as_posix() for file in present}
    expected = {name for name in listed if any(PurePosixPath(name).match(pattern) for pattern in UNPROVED)}
    problems = [f"{name} is missing" for name in sorted(expected - names)]
    for name in sorted(names):
        if listed.get(name) != sha256((path / name).read_bytes()).hex():
            problems.append(f"{name} is not as listed")
    return problems


def _check_proof(path: Path, hashes: list[bytes]) -> list[str]:
    """Whether proof.json proves that the log follows from the head that it names."""
    file = path / "proof.json"
    if not file.is_file():
        return []
    try:
        proof = json.loads(file.read_bytes())
        if proof is None:
            return []
        size, root = proof["from"]["size"], base64.b64decode(proof["from"]["root"], validate=True)
        proof_hashes = [base64.b64decode(item, validate=True) for item in proof["hashes"]]
        check_consistency(size, proof["to"], proof_hashes, (root, root_of(hashes[: proof["to"]])))
    except (Refused, ValueError, KeyError, TypeError):
        return ["proof.json proves nothing"]
    return []


def _check_cosigned(folder: Folder) -> list[str]:
    """Whether each note of another node's log is named by its file and cosigned by a witness of the newest root."""
    root = folder.trust.newest
    problems = []
    for file in sorted((folder.path / "cosigned").glob("*")):
        try:
            checkpoint = parse_checkpoint(file.read_bytes())
            names = [line.name for line in checkpoint.signatures if line.name.startswith(root.trust_domain + WITNESS)]
            cosigned = any(cosigned_at(checkpoint, name, key) for name in names for key in root.witness_keys)
        except Refused:
            cosigned = False
        if not cosigned or f"/tidegate/1/log/{file.name}/" not in checkpoint.origin:
            problems.append(f"cosigned/{file.name} is not cosigned")
    return problems
