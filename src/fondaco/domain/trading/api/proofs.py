"""Proofs from the journal: that an entry is in it, and that nothing before was ever changed.

Roots are of the whole house and tell nothing of anybody. An entry is proven to those who may read
it, since its bytes are part of the proof.
"""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.trading.api.views import Limit, Reading
from fondaco.domain.trading.model import PREFIX
from fondaco.kernel.errors import NotFound
from fondaco.kernel.operation import Look, Operation
from fondaco.runtime.proofs.proving import Consistency, Inclusion
from fondaco.runtime.proofs.roots import Root

Size = Annotated[int, Meta(ge=1, le=2**53)]


class Proofs(Protocol):
    """What the source "proofs" is: `fondaco.runtime.proofs.proving.Proofs`."""

    @property
    def size(self) -> int: ...

    @property
    def public_key(self) -> str: ...

    def root(self, size: int) -> str: ...

    def published(self) -> list[Root]: ...

    def inclusion(self, position: int, size: int = 0) -> Inclusion: ...

    def consistency(self, old: int, size: int = 0) -> Consistency: ...


class RootRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The root of the first `size` entries; of all that are hashed where none is given."""

    size: Size | None = None


class RootsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    after: Annotated[int, Meta(ge=0, le=2**53)] = 0  # a size
    limit: Limit = 100


class ProofRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Under the root of `size` entries; under the newest published one that holds the entry, or
    the root as it is now, where none is given."""

    position: Size
    size: Size | None = None


class ConsistencyRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"old": "from", "size": "to"}
):
    """`from` and `to` are sizes of the log; without `to` it is the newest that was published."""

    old: Size
    size: Size | None = None


class RootReply(msgspec.Struct, frozen=True):
    """`root` is hexadecimal, of RFC 9162's tree over the first `size` entries."""

    size: int
    root: str
    published: Root | None  # the newest that was
    public_key: str = ""  # Ed25519: what roots are signed with here; keep it elsewhere


class RootsReply(msgspec.Struct, frozen=True):
    """Oldest first; `next` goes into `after`."""

    items: list[Root]
    next: int


def root(ask: RootRequest, on: Reading) -> RootReply:
    log: Proofs = on.source
    size = log.size if ask.size is None else ask.size
    found = log.published()
    return RootReply(size, log.root(size), found[-1] if found else None, log.public_key)


def published(ask: RootsRequest, on: Reading) -> RootsReply:
    log: Proofs = on.source
    found = [each for each in log.published() if each.size > ask.after][: ask.limit]
    return RootsReply(found, found[-1].size if found else ask.after)


def inclusion(owner: Callable[[str], str | None]) -> Callable[[ProofRequest, Reading], Inclusion]:
    """`owner` says whose an account is."""

    def answer(ask: ProofRequest, on: Reading) -> Inclusion:
        log: Proofs = on.source
        found = log.inclusion(ask.position, ask.size or 0)
        account = found.stream.removeprefix(PREFIX) if found.stream.startswith(PREFIX) else None
        if account is None:
            shown = on.accounts is None
        else:
            allowed = on.accounts is None or account in on.accounts
            shown = allowed and owner(account) == on.tenant
        if not shown:
            raise NotFound(f"there is no entry {ask.position} that you may read")
        return found

    return answer


def consistency(ask: ConsistencyRequest, on: Reading) -> Consistency:
    log: Proofs = on.source
    return log.consistency(ask.old, ask.size or 0)


def looks(owner: Callable[[str], str | None]) -> tuple[Operation[Any, Any], ...]:
    """What is asked of the source "proofs"."""
    return (
        Look(
            name="journal.root",
            summary="The root of the journal's Merkle log, and the newest that was published.",
            method="GET",
            path="/journal/root",
            request=RootRequest,
            reply=RootReply,
            scope=Scope.JOURNAL_READ,
            errors=(NotFound,),
            source="proofs",
            answer=root,
        ),
        Look(
            name="journal.roots",
            summary="The roots that were published, oldest first; keep one elsewhere.",
            method="GET",
            path="/journal/roots",
            request=RootsRequest,
            reply=RootsReply,
            scope=Scope.JOURNAL_READ,
            source="proofs",
            answer=published,
        ),
        Look(
            name="journal.proof",
            summary="Prove that an entry is in the journal; fondaco proof --verifier checks it.",
            method="GET",
            path="/journal/proof",
            request=ProofRequest,
            reply=Inclusion,
            scope=Scope.JOURNAL_READ,
            errors=(NotFound,),
            source="proofs",
            answer=inclusion(owner),
        ),
        Look(
            name="journal.consistency",
            summary="Prove that the journal begins with what it was at an earlier size.",
            method="GET",
            path="/journal/consistency",
            request=ConsistencyRequest,
            reply=Consistency,
            scope=Scope.JOURNAL_READ,
            errors=(NotFound,),
            source="proofs",
            answer=consistency,
        ),
    )
