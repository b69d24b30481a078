"""What a sign-in page asks of providers of others: which there are, and to go on from one."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.people.api import Cookies, LoginReply, NoRequest, replied
from fondaco.domain.identity.people.desk import SignedIn
from fondaco.kernel.errors import Denied
from fondaco.kernel.operation import Do, Operation, Stamp


class ProviderShown(msgspec.Struct, frozen=True):
    """`start` is where a page sends its browser, with `next=/` and `challenge`, the S256 of a proof
    that it keeps (RFC 7636): the browser comes back to `/#/signed-in/<code>`."""

    name: str
    label: str
    start: str


class ProvidersReply(msgspec.Struct, frozen=True):
    items: list[ProviderShown]


class ArriveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` is what the browser came back with, `proof` what `challenge` was made of. `cookie`:
    have a cookie for a browser, rather than a token."""

    code: Annotated[str, Meta(min_length=1, max_length=100)]
    proof: Annotated[str, Meta(min_length=43, max_length=128)]
    cookie: bool = False


class External(Protocol):
    @property
    def labels(self) -> Mapping[str, str]: ...

    def arrive(self, code: str, proof: str, address: str) -> SignedIn: ...


class Applications(Cookies, Protocol):
    @property
    def external(self) -> External: ...


async def _providers(_: NoRequest, __: Stamp, on: Applications) -> ProvidersReply:
    found = on.external.labels.items()
    return ProvidersReply([ProviderShown(n, label, f"/oauth/external/{n}") for n, label in found])


async def _arrive(ask: ArriveRequest, stamp: Stamp, on: Applications) -> Any:
    found = await asyncio.to_thread(on.external.arrive, ask.code, ask.proof, stamp.address)
    return replied(found, on, stamp.at, cookie=ask.cookie)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="users.providers",
        summary="With which providers of others one can sign in here.",
        method="GET",
        path="/users/providers",
        request=NoRequest,
        reply=ProvidersReply,
        scope="",
        source="applications",
        answer=_providers,
    ),
    Do(
        name="users.arrive",
        summary="Go on from a provider of others: be signed in.",
        method="POST",
        path="/users/arrive",
        request=ArriveRequest,
        reply=LoginReply,
        scope="",
        errors=(Denied,),
        secret=True,
        source="applications",
        answer=_arrive,
    ),
)
