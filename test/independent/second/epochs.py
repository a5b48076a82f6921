"""The chain of epoch keys, and which checkpoints it makes seals of (SPEC.md sections 15.4 and 15.6, step 5)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import tcbor
from .envelope import pae
from .findings import Finding
from .keys import check_ed25519_key
from .leaf import Leaf
from .notes import ED25519, Checkpoint, key_id
from .primitives import ed25519_holds
from .refused import Refused
from .text_forms import MAX_NUMBER, strict_base64, strict_decimal

EPOCH_ACTION = "audit.epoch"
EPOCH_TYPE = "application/vnd.tidegate.epoch.v1+cbor"


@dataclass(frozen=True)
class Epoch:
    """An epoch: its number, its key, and the index of the leaf that began it (0 for epoch 0)."""

    number: int
    public_key: bytes
    begins: int


@dataclass
class EpochChain:
    """The epochs of a log in order, and what is wrong with the leaves that introduce them."""

    origin: str
    epochs: list[Epoch]
    findings: list[Finding] = field(default_factory=list)

    def of_size(self, size: int) -> Epoch:
        """The epoch that a checkpoint of this size belongs to."""
        return next((epoch for epoch in reversed(self.epochs[1:]) if epoch.begins < size), self.epochs[0])


@dataclass(frozen=True)
class _Succession:
    epoch: int
    begins: int
    public_key: bytes
    signature: bytes


def follow(origin: str, first_key: bytes, leaves: Iterable[tuple[int, Leaf]]) -> EpochChain:
    """Follows the audit.epoch leaves, which come with their places, from epoch 0."""
    chain = EpochChain(origin, [Epoch(0, first_key, 0)])
    for place, leaf in leaves:
        if leaf.action != EPOCH_ACTION:
            continue
        succession = _parse(leaf)
        if succession is None:
            chain.findings.append(Finding("KEY-EPOCH", place))
            continue
        before = chain.epochs[-1]
        if succession.epoch != before.number + 1:
            chain.findings.append(Finding("EPOCH-GAP", place))
        elif succession.begins != place or not _is_signed(origin, before, succession):
            chain.findings.append(Finding("KEY-EPOCH", place))
        chain.epochs.append(Epoch(succession.epoch, succession.public_key, place))
    return chain


def _parse(leaf: Leaf) -> _Succession | None:
    numbers = [leaf.details.get(name) for name in ("epoch", "from")]
    texts = [leaf.details.get(name) for name in ("key", "signature")]
    if not all(type(number) is int for number in numbers) or not all(isinstance(text, str) for text in texts):
        return None
    public_key, signature = (strict_base64(str(text)) for text in texts)
    if public_key is None or signature is None or len(signature) != 64:
        return None
    try:
        check_ed25519_key(public_key)
    except Refused:
        return None
    return _Succession(int(str(numbers[0])), int(str(numbers[1])), public_key, signature)


def _is_signed(origin: str, before: Epoch, succession: _Succession) -> bool:
    payload = tcbor.encode([origin, succession.epoch, succession.public_key, succession.begins])
    return ed25519_holds(before.public_key, pae(EPOCH_TYPE, payload), succession.signature)


def judge_seals(chain: EpochChain, checkpoints: Sequence[Checkpoint]) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints that seal, and the findings of step 5, those of the chain included."""
    findings = list(chain.findings)
    sealing: list[Checkpoint] = []
    for checkpoint in checkpoints:
        if _bears(checkpoint, chain.origin, chain.of_size(checkpoint.size)):
            sealing.append(checkpoint)
            continue
        named = _first_epoch_named(checkpoint, chain.origin)
        is_ahead = named is not None and named > chain.epochs[-1].number
        findings.append(Finding("EPOCH-GAP" if is_ahead else "KEY-EPOCH", checkpoint.size))
    if not chain.findings:
        sizes = {checkpoint.size for checkpoint in sealing}
        findings += [Finding("EPOCH-GAP", epoch.begins) for epoch in chain.epochs[1:] if epoch.begins not in sizes]
    return sealing, findings


def _bears(checkpoint: Checkpoint, origin: str, epoch: Epoch) -> bool:
    name = f"{origin}/epoch/{epoch.number}"
    claims = [
        line
        for line in checkpoint.signatures
        if line.name == name and line.key_id == key_id(name, ED25519, epoch.public_key)
    ]
    return len(claims) > 0 and all(
        ed25519_holds(epoch.public_key, checkpoint.text, line.signature) for line in claims
    )


def _first_epoch_named(checkpoint: Checkpoint, origin: str) -> int | None:
    for line in checkpoint.signatures:
        match = re.fullmatch(re.escape(origin) + r"/epoch/([0-9]+)", line.name, re.ASCII)
        number = strict_decimal(match[1]) if match else None
        if number is not None:
            return min(number, MAX_NUMBER)
    return None
