"""What a node believes of the others: the chain of roots and the statements under it (SPEC.md sections 6 and 7)."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .documents import MemberStatement, RevokedList, Root, parse_member, parse_revoked, parse_root
from .envelope import MAX_STATEMENTS, Envelope, read_envelope
from .keys import ED25519_ALGORITHM, key_id_of
from .primitives import ed25519_holds
from .refused import Refused
from .shapes import require

MAX_ROOTS_IN_CARRIER = 32
MAX_MEMBERS = 10_000
Document = TypeVar("Document")
ORDER = {"root": 0, "member": 1, "revoked": 2}


@dataclass(frozen=True)
class Pin:
    """Version and id of the one root that a joining node knows."""

    version: int
    id: bytes


@dataclass(frozen=True)
class Trust:
    """All that is held. Applying statements makes a new one or nothing."""

    roots: tuple[Root, ...]
    members: dict[bytes, MemberStatement] = field(default_factory=dict)
    revoked: RevokedList | None = None

    @property
    def newest(self) -> Root:
        """The newest root."""
        return self.roots[-1]

    @property
    def vault_id(self) -> bytes:
        """The id of the vault."""
        return self.newest.vault_id

    def is_revoked(self, node_id: bytes, serial: int) -> bool:
        """Whether the list names the node with a serial not below this one."""
        return self.revoked is not None and self.revoked.rows.get(node_id, -1) >= serial

    def trusted(self, node_id: bytes) -> MemberStatement:
        """The statement about a node that is trusted; TRUST_UNKNOWN, TRUST_REVOKED or TRUST_SIGNER else."""
        member = self.members.get(node_id)
        if member is None:
            raise Refused("TRUST_UNKNOWN")
        require(not self.is_revoked(node_id, member.serial), "TRUST_REVOKED")
        require(self._named_signer(member.envelope) is not None, "TRUST_SIGNER")
        return member

    def shown(self, data: bytes) -> MemberStatement:
        """Judges a statement that a peer shows about itself."""
        envelope = read_envelope(data, "member")
        self._verify_signer(envelope)
        member = parse_member(envelope)
        require(member.vault_id == self.vault_id, "TRUST_OTHER_VAULT")
        held = self.members.get(member.node_id)
        if held is not None:
            require(member.serial >= held.serial, "TRUST_MEMBER_OLD")
            is_same = member.serial > held.serial or envelope.id == held.envelope.id
            require(is_same, "TRUST_MEMBER_FORK")
        require(not self.is_revoked(member.node_id, member.serial), "TRUST_REVOKED")
        return member

    def apply(self, statements: list[bytes]) -> "Trust":
        """What is held once all the statements of a carrier are applied."""
        require(len(statements) <= MAX_STATEMENTS, "TRUST_TOO_MANY")
        envelopes = [read_envelope(statement) for statement in statements]
        require(all(envelope.type in ORDER for envelope in envelopes), "ENVELOPE_TYPE")
        roots = [envelope for envelope in envelopes if envelope.type == "root"]
        require(len(roots) <= MAX_ROOTS_IN_CARRIER, "TRUST_TOO_MANY")
        trust = self
        for root in sorted(map(parse_root, roots), key=lambda root: root.version):
            trust = trust._with_root(root)
        for envelope in sorted(envelopes, key=lambda envelope: ORDER[envelope.type]):
            if envelope.type == "member":
                trust = trust._with_member(envelope)
            elif envelope.type == "revoked":
                trust = trust._with_revoked(envelope)
        require(len(trust.members) <= MAX_MEMBERS, "TRUST_TOO_MANY")
        return trust

    def _with_root(self, root: Root) -> "Trust":
        first = self.roots[0].version
        if root.version < first:
            return self
        if root.version > self.newest.version:
            check_successor(self.newest, root)
            return replace(self, roots=(*self.roots, root))
        if root.envelope.id == self.roots[root.version - first].envelope.id:
            return self
        require(root.version > first, "TRUST_OTHER_VAULT")
        check_successor(self.roots[root.version - first - 1], root)
        raise Refused("TRUST_ROOT_FORK")

    def _with_member(self, envelope: Envelope) -> "Trust":
        member = _or_none(parse_member, envelope)
        held = self.members.get(member.node_id) if member else None
        if member and held and self._is_ignored(held.envelope, envelope, member.serial < held.serial):
            return self
        self._verify_signer(envelope)
        member = parse_member(envelope)
        require(member.vault_id == self.vault_id, "TRUST_OTHER_VAULT")
        is_fork = held is not None and held.serial == member.serial and held.envelope.id != envelope.id
        require(not is_fork, "TRUST_MEMBER_FORK")
        return replace(self, members=self.members | {member.node_id: member})

    def _with_revoked(self, envelope: Envelope) -> "Trust":
        revoked = _or_none(parse_revoked, envelope)
        held = self.revoked
        if revoked and held and self._is_ignored(held.envelope, envelope, revoked.version < held.version):
            return self
        self._verify_signer(envelope)
        revoked = parse_revoked(envelope)
        require(revoked.vault_id == self.vault_id, "TRUST_OTHER_VAULT")
        is_fork = held is not None and held.version == revoked.version and held.envelope.id != envelope.id
        require(not is_fork, "TRUST_REVOKED_FORK")
        return replace(self, revoked=revoked)

    def _is_ignored(self, held: Envelope, envelope: Envelope, is_older: bool) -> bool:
        if is_older:
            return True
        is_same_signer = held.signatures[0][0] == envelope.signatures[0][0]
        return held.id == envelope.id and (is_same_signer or self._named_signer(envelope) is None)

    def _named_signer(self, envelope: Envelope) -> bytes | None:
        return envelope.signer_among(self.newest.bundle_signers)

    def _verify_signer(self, envelope: Envelope) -> None:
        signer = self._named_signer(envelope)
        if signer is None:
            raise Refused("TRUST_SIGNER")
        envelope.verify(signer)


def _or_none(parse: Callable[[Envelope], Document], envelope: Envelope) -> Document | None:
    """What a statement says before anybody knows who signed it: its serial decides whether it counts at all."""
    try:
        return parse(envelope)
    except Refused:
        return None


def begin(statements: list[bytes], pin: Pin) -> Trust:
    """What a joining node holds of a chain that begins with version 1 or the pinned version."""
    roots = sorted((parse_root(read_envelope(data, "root")) for data in statements), key=lambda root: root.version)
    require(len(roots) > 0, "TRUST_ROOT_PIN")
    first = roots[0]
    require(first.version in (1, pin.version), "TRUST_ROOT_GAP")
    _check_signatures(first, [first])
    trust = Trust((first,))
    for root in roots[1:]:
        trust = trust._with_root(root)
    require(any(root.version == pin.version and root.envelope.id == pin.id for root in trust.roots), "TRUST_ROOT_PIN")
    return trust


def check_successor(before: Root, root: Root) -> None:
    """Whether a root may follow another one."""
    require(root.version == before.version + 1, "TRUST_ROOT_GAP")
    require(root.vault_id == before.vault_id, "TRUST_OTHER_VAULT")
    _check_signatures(root, [before, root])
    is_forward = root.vault_epoch >= before.vault_epoch and root.trust_domain == before.trust_domain
    require(is_forward, "TRUST_ROOT_REGRESSION")


def _check_signatures(root: Root, owners: list[Root]) -> None:
    """Every signature is by a root key of an owner and holds, and each owner's threshold is reached."""
    by_id = {key_id_of(ED25519_ALGORITHM, key): key for owner in owners for key in owner.root_keys}
    signers = {by_id.get(key_id) for key_id, _ in root.envelope.signatures}
    holds = all(
        key_id in by_id and ed25519_holds(by_id[key_id], root.envelope.signed, signature)
        for key_id, signature in root.envelope.signatures
    )
    reached = all(len(signers & set(owner.root_keys)) >= owner.threshold for owner in owners)
    require(holds and reached, "TRUST_ROOT_SIGNATURES")
