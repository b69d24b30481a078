"""What callers may ask about themselves: keys, and tickets for a WebSocket."""

import asyncio
from base64 import urlsafe_b64decode
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.directory import Directory, Ticket
from fondaco.domain.identity.key_terms import Terms, networks_of
from fondaco.domain.identity.model import Caller, Key, NameText, Role, Scope
from fondaco.domain.identity.signatures import Signing
from fondaco.kernel.errors import Conflict, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Do, Stamp

AccountText = Annotated[str, Meta(min_length=1, max_length=64)]
Network = Annotated[str, Meta(min_length=2, max_length=64, examples=["203.0.113.0/24"])]
Networks = Annotated[list[Network], Meta(max_length=32)]
PublicKey = Annotated[str, Meta(max_length=64, pattern=r"^[A-Za-z0-9_-]*=?$")]
PUBLIC_KEY_DIGITS: Final = 43  # of the 32 bytes of ed25519
SECOND_NS: Final = 1_000_000_000


class CreateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: NameText
    scopes: Annotated[list[Scope], Meta(max_length=32)] | None = None  # None: those of this key
    accounts: Annotated[list[AccountText], Meta(max_length=1_000)] | None = None
    expires_at: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None  # ns since 1970, UTC
    networks: Networks = []  # from where it may be used; none: from anywhere
    signing: Signing = ""  # it signs requests (RFC 9421), and is no bearer token
    public_key: PublicKey = ""  # of ed25519: 32 bytes as base64url
    user: NameText | None = None  # a service account of yours; None: yourself


class CreatedKey(msgspec.Struct, frozen=True):
    """`token` is shown this once. Of a key that signs it is the secret of hmac-sha256, or empty."""

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


class RotateKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is not said stays as it is. `grace_s`: how long the old one is still good."""

    key_id: Annotated[str, Meta(max_length=64, examples=["key_5f2c9a1b4d3e6078"])]
    name: NameText | None = None
    grace_s: Annotated[int, Meta(ge=0, le=30 * 86_400)] = 86_400
    networks: Networks | None = None
    public_key: PublicKey = ""


class CreateMachine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`owner` makes its keys; null: whoever asks."""

    user: NameText
    roles: Annotated[list[Role], Meta(min_length=1, max_length=16)]
    reason: Annotated[str, Meta(min_length=3, max_length=200)]
    owner: NameText | None = None


class Machine(msgspec.Struct, frozen=True):
    user: str
    owner: str
    roles: list[str]


class Machines(msgspec.Struct, frozen=True):
    items: list[Machine]


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
        terms=_terms(request.networks, request.signing, request.public_key),
        user=request.user or "",
    )
    return CreatedKey(token, key)


def _terms(networks: list[str], signing: Signing, public_key: str) -> Terms:
    if (signing == "ed25519") != bool(public_key):
        raise Invalid("public_key goes with signing ed25519, and with nothing else")
    raw = b""
    if public_key:
        bare = public_key.rstrip("=")
        if len(bare) != PUBLIC_KEY_DIGITS:
            raise Invalid(f"public_key has {len(bare)} digits of base64url, must have 43: 32 bytes")
        raw = urlsafe_b64decode(bare + "=")
    return Terms(networks_of(networks), signing, raw)


async def _rotate(request: RotateKey, stamp: Stamp, directory: Directory) -> CreatedKey:
    """One's own, or a service account's of one's own: nobody is shown another's token."""
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    found = await asyncio.to_thread(_visible, directory, caller)
    mine = [each for each in found if each.key_id == request.key_id]
    owners = await asyncio.to_thread(directory.owners, stamp.tenant)
    if not mine or caller.user not in (mine[0].user, owners.get(mine[0].user)):
        raise NotFound(f"there is no key {request.key_id}, or it is not yours")
    old, terms = mine[0], None
    signing: Signing = old.signing  # type: ignore[assignment]  # as it was made
    if signing == "ed25519" and not request.public_key:
        raise Invalid("this key signs with ed25519: give the public_key of its new pair")
    if request.networks is not None or request.public_key:
        networks = old.networks if request.networks is None else request.networks
        terms = _terms(list(networks), signing, request.public_key)
    key, token = await asyncio.to_thread(
        directory.rotate_key,
        caller,
        request.key_id,
        request.name,
        request.grace_s * SECOND_NS,
        terms,
    )
    return CreatedKey(token, key)


def _visible(directory: Directory, caller: Caller) -> list[Key]:
    """One's own keys and those of one's service accounts; an admin sees the tenant's."""
    if Role.ADMIN in caller.roles:
        return list(directory.keys(caller.tenant))
    mine = [user for user, owner in directory.owners(caller.tenant).items() if owner == caller.user]
    return [key for user in (caller.user, *mine) for key in directory.keys(caller.tenant, user)]


async def _list(_: ListKeys, stamp: Stamp, directory: Directory) -> Keys:
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    return Keys(await asyncio.to_thread(_visible, directory, caller))


async def _create_service_account(
    request: CreateMachine, stamp: Stamp, directory: Directory
) -> Machine:
    owner = request.owner or stamp.caller.partition("/")[0]
    made = await asyncio.to_thread(
        directory.create_service_account,
        stamp.tenant,
        request.user,
        owner,
        request.roles,
        stamp.caller,
    )
    return Machine(made.user, owner, [str(role) for role in made.roles])


async def _service_accounts(_: ListKeys, stamp: Stamp, directory: Directory) -> Machines:
    return Machines(await asyncio.to_thread(_accounts, directory, stamp.tenant))


def _accounts(directory: Directory, tenant: str) -> list[Machine]:
    owners = directory.owners(tenant)
    users = {user.user: user.roles for user in directory.users(tenant)}
    return [
        Machine(user, owner, [str(role) for role in users[user]])  # type: ignore[index]
        for user, owner in sorted(owners.items())
    ]


async def _revoke(request: RevokeKey, stamp: Stamp, directory: Directory) -> RevokedKey:
    """One's own key, or a service account's; an admin may revoke any of the tenant's."""
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
rotate_key: Final = Do(
    name="identity.rotate_key",
    summary="Make a key in place of one of yours, which stays good for a time of grace.",
    method="POST",
    path="/keys/{key_id}/rotate",
    request=RotateKey,
    reply=CreatedKey,
    scope=Scope.KEYS_WRITE,
    errors=(Conflict, NotFound),
    status=201,
    secret=True,
    source="identity",
    answer=_rotate,
)
create_service_account: Final = Do(
    name="identity.create_service_account",
    summary="Add a user who is a machine: no password, and keys that its owner makes.",
    method="POST",
    path="/service-accounts",
    request=CreateMachine,
    reply=Machine,
    scope=Scope.HOUSE_WRITE,
    errors=(Conflict, NotFound),
    status=201,
    needs_second=True,
    source="identity",
    answer=_create_service_account,
    example={"user": "svc-rebalancer", "roles": ["trader"]},
)
service_accounts: Final = Do(
    name="identity.service_accounts",
    summary="The tenant's service accounts, and who makes their keys.",
    method="GET",
    path="/service-accounts",
    request=ListKeys,
    reply=Machines,
    scope=Scope.KEYS_WRITE,
    source="identity",
    answer=_service_accounts,
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

OPERATIONS: Final = (
    create_key,
    list_keys,
    rotate_key,
    revoke_key,
    create_service_account,
    service_accounts,
    issue_ticket,
)
