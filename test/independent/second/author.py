"""Writes the folder of a log from seeds, so that other verifiers can be tried on chains of epochs that nobody makes by accident."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import tcbor, x_wing
from .documents import P256_SPKI_PREFIX
from .envelope import TYPE_PREFIX, TYPE_SUFFIX, pae, read_envelope
from .epochs import EPOCH_ACTION, EPOCH_TYPE
from .keys import ED25519_ALGORITHM, key_id_of
from .merkle import leaf_hash, root_of
from .notes import ED25519, key_id
from .primitives import ed25519_sign
from .text_forms import base32
from .tiles import TILE_WIDTH, TilePlace, tile_path

TRUST_DOMAIN = "plant.example"
NODE_ID = b"\x11" * 20
ORIGIN = f"{TRUST_DOMAIN}/tidegate/1/log/{base32(NODE_ID)}/0"
TIME_MS = 1_700_000_000_000


@dataclass(frozen=True)
class Succession:
    """An audit.epoch leaf: its index and epoch, the epoch that signs it, and the `from` that it tells where that is not its index."""

    index: int
    epoch: int
    signer: int
    tells: int | None = None
    is_broken: bool = False


@dataclass(frozen=True)
class Seal:
    """A checkpoint: its size and the epoch whose key signs it."""

    size: int
    epoch: int


def seed_of(name: str) -> bytes:
    """The seed of a key, by its name."""
    return leaf_hash(name.encode())


def _public(name: str) -> bytes:
    return ed25519_sign(seed_of(name), b"")[0]


def _envelope(kind: str, payload: bytes, signer: str) -> bytes:
    full_type = TYPE_PREFIX + kind + TYPE_SUFFIX
    public, signature = ed25519_sign(seed_of(signer), pae(full_type, payload))
    return tcbor.encode(["tidegate/1", full_type, payload, [[key_id_of(ED25519_ALGORITHM, public), signature]]])


def _documents() -> tuple[bytes, bytes]:
    """A root document and the member statement under it."""
    sealing = x_wing.expand(seed_of("sealing")).public
    point = bytes.fromhex(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )
    root = {
        1: 1, 2: b"", 3: TRUST_DOMAIN, 4: 1, 5: [_public("root")], 6: 1, 7: [_public("bundle signer")],
        8: [sealing], 9: x_wing.expand(seed_of("recovery")).public, 10: [P256_SPKI_PREFIX + point], 11: [],
    }  # fmt: skip
    root_envelope = _envelope("root", tcbor.encode(root), "root")
    keys = [_public("sign"), sealing, bytes(32), _public("log"), _public("epoch 0"), None]
    member = [read_envelope(root_envelope).id, NODE_ID, 1, "edge-1", 2, "line-4", *keys]
    return root_envelope, _envelope("member", tcbor.encode(member), "bundle signer")


def _leaf(index: int, succession: Succession | None) -> bytes:
    party = {"kind": "node", "id": base32(NODE_ID)}
    details: dict[str, Any] = {"says": "nothing new"}
    if succession is not None:
        start = index if succession.tells is None else succession.tells
        public = _public(f"epoch {succession.epoch}")
        signed = pae(EPOCH_TYPE, tcbor.encode([ORIGIN, succession.epoch, public, start]))
        signature = ed25519_sign(seed_of(f"epoch {succession.signer}"), signed)[1]
        key, signature_text = (base64.b64encode(data).decode() for data in (public, signature))
        details = {"epoch": succession.epoch, "from": start, "key": key, "signature": signature_text}
        if succession.is_broken:
            details["key"] = key[:-4]
    leaf = {
        "v": 1, "log": 0, "index": index, "time": [TIME_MS + index, None], "wallMs": TIME_MS + index, "boot": "b",
        "sinceBootMs": index, "node": base32(NODE_ID),
        "action": EPOCH_ACTION if succession else "node.start", "actor": party,
        "subject": {"kind": "log", "id": "0"}, "outcome": "ok", "code": None, "details": details,
    }  # fmt: skip
    return json.dumps(leaf, separators=(",", ":")).encode()


def _note(hashes: Sequence[bytes], seal: Seal) -> bytes:
    root = base64.b64encode(root_of(hashes[: seal.size])).decode()
    text = f"{ORIGIN}\n{seal.size}\n{root}\n".encode()
    lines = []
    for name, signer in ((ORIGIN, "log"), (f"{ORIGIN}/epoch/{seal.epoch}", f"epoch {seal.epoch}")):
        public, signature = ed25519_sign(seed_of(signer), text)
        data = base64.b64encode(key_id(name, ED25519, public) + signature).decode()
        lines.append(f"\u2014 {name} {data}\n".encode())
    return text + b"\n" + b"".join(lines)


def write_log(path: Path, size: int, successions: Sequence[Succession], seals: Sequence[Seal]) -> None:
    """Writes a log of fewer than 65,536 leaves; the last seal is its newest checkpoint, the others are those of ended epochs."""
    by_index = {succession.index: succession for succession in successions}
    leaves = [_leaf(index, by_index.get(index)) for index in range(size)]
    hashes = list(map(leaf_hash, leaves))
    root, member = _documents()
    files = {"roots.cbor": tcbor.encode([root]), "member.cbor": member}
    for start in range(0, size, TILE_WIDTH):
        bundle, tile = leaves[start : start + TILE_WIDTH], hashes[start : start + TILE_WIDTH]
        place = (start // TILE_WIDTH, len(bundle))
        files[tile_path(TilePlace("entries", *place))] = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in bundle)
        files[tile_path(TilePlace(0, *place))] = b"".join(tile)
    names = [*(f"epochs/{number}" for number in range(len(seals) - 1)), "checkpoint"]
    files |= {name: _note(hashes, seal) for name, seal in zip(names, seals, strict=bool(seals))} if seals else {}
    for name, data in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
