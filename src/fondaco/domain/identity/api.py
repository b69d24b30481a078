"""What callers may ask about themselves: keys, and tickets for a WebSocket."""

import asyncio
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.directory import Directory, Ticket
from fondaco.domain.identity.model import Key, NameText, Role, Scope
from fondaco.kernel.errors import Conflict, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Do, Stamp

AccountText = Annotated[str, Meta(min_length=1, max_length=64)]


class CreateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: NameText
    scopes: Annotated[list[Scope], Meta(max_length=32)] | None = None  # None: those of this key
    accounts: Annotated[list[AccountText], Meta(max_length=1_000)] | None = None
    expires_at: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None  # ns since 1970, UTC


class CreatedKey(msgspec.Struct, frozen=True):
    """`token` is shown this once."""

    token: str
    key: Key


class ListKeys(msgspec.Struct, frozen=True):
    pass


class Keys(msgspec.Struct, frozen=True):
    items: list[Key]


class RevokeKey(msgspec.Struct, frozen=True):
    key_id: Annotated[str, Meta(max_length=64, examples=["key_5f2c9a1b4d3e6078"])]


class RevokedKey(msgspec.Struct, frozen=True):
    key_id: str


class IssueTicket(msgspec.Struct, frozen=True):
    pass


async def _create(request: CreateKey, stamp: Stamp, directory: Directory) -> CreatedKey:
    expires_at = None if request.expires_at is None else Instant(request.expires_at)
    key, token = await asyncio.to_thread(
        directory.create_own_key,
        stamp.caller,
        stamp.tenant,
        request.name,
        scopes=request.scopes,
        accounts=request.accounts,
        expires_at=expires_at,
    )
    return CreatedKey(token, key)


async def _list(_: ListKeys, stamp: Stamp, directory: Directory) -> Keys:
    """One's own keys; an admin sees the tenant's."""
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    user = None if Role.ADMIN in caller.roles else caller.user
    return Keys(list(await asyncio.to_thread(directory.keys, stamp.tenant, user)))


async def _revoke(request: RevokeKey, stamp: Stamp, directory: Directory) -> RevokedKey:
    """One's own key; an admin may revoke any of the tenant's."""
    visible = await _list(ListKeys(), stamp, directory)
    if all(key.key_id != request.key_id for key in visible.items):
        raise NotFound(f"there is no key {request.key_id}, or it is not yours")
    await asyncio.to_thread(directory.revoke_key, stamp.tenant, request.key_id, stamp.caller)
    return RevokedKey(request.key_id)


async def _ticket(_: IssueTicket, stamp: Stamp, directory: Directory) -> Ticket:
    return directory.issue_ticket(directory.caller_named(stamp.tenant, stamp.caller))


create_key: Final = Do(
    name="identity.create_key",
    summary="Make an API key for yourself; its token is shown this once.",
    method="POST",
    path="/keys",
    request=CreateKey,
    reply=CreatedKey,
    scope=Scope.KEYS_WRITE,
    errors=(Conflict,),
    status=201,
    secret=True,
    source="identity",
    answer=_create,
)
list_keys: Final = Do(
    name="identity.list_keys",
    summary="List your API keys, without their tokens; an admin sees the tenant's.",
    method="GET",
    path="/keys",
    request=ListKeys,
    reply=Keys,
    scope=Scope.KEYS_WRITE,
    source="identity",
    answer=_list,
)
revoke_key: Final = Do(
    name="identity.revoke_key",
    summary="Refuse an API key from now on.",
    method="DELETE",
    path="/keys/{key_id}",
    request=RevokeKey,
    reply=RevokedKey,
    scope=Scope.KEYS_WRITE,
    errors=(NotFound,),
    source="identity",
    answer=_revoke,
)
issue_ticket: Final = Do(
    name="identity.issue_ticket",
    summary="Get a ticket that opens one WebSocket within 30 seconds (?ticket=…).",
    method="POST",
    path="/tickets",
    request=IssueTicket,
    reply=Ticket,
    scope=Scope.MARKET_READ,
    status=201,
    secret=True,
    source="identity",
    answer=_ticket,
)

OPERATIONS: Final = (create_key, list_keys, revoke_key, issue_ticket)
