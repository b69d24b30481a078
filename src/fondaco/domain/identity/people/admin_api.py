"""What whoever runs the house asks about people: invite, lock, unlock, sign out, reset."""

import asyncio
from functools import partial
from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Caller, NameText, Role, Scope
from fondaco.domain.identity.people.api import Email, Password, RolesRequest, SaidReply, Text
from fondaco.domain.identity.people.desk import PeopleDesk
from fondaco.domain.identity.people.inviting import Inviting
from fondaco.domain.identity.people.locking import Locking
from fondaco.domain.identity.people.overview import UserShown
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

Reason = Annotated[str, Meta(min_length=3, max_length=200)]
HOURS_MAX: Final = 30 * 24


class InvitePersonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` is a name for the journal, which keeps it for ever: nothing that says who they are.
    `roles` are asked for besides, and wait for a second person wherever roles do; `reason` is
    theirs."""

    user: NameText
    email: Email
    name: Text = ""
    roles: Annotated[list[Role], Meta(max_length=16)] = []
    reason: Annotated[str, Meta(max_length=200)] = ""
    hours: Annotated[int, Meta(ge=1, le=HOURS_MAX)] = 72


class InvitedReply(msgspec.Struct, frozen=True):
    """The link is in the message to them alone. `approval_id` is where their roles wait, ""
    where they were given, or none were asked for."""

    user: str
    until: str  # nanoseconds since 1970, UTC
    approval_id: str = ""


class AcceptInvitationRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tenant: NameText
    user: NameText
    code: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Password


class PersonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    user: NameText


class PersonReasonRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` is kept in the journal: it must not say who the person is."""

    user: NameText
    reason: Reason


class SignedOutReply(msgspec.Struct, frozen=True):
    """How many sessions ended, and how many applications lost what they were given."""

    user: str
    sessions: int
    applications: int


class LookingAfter(Protocol):
    """What the door is given to answer from."""

    @property
    def desk(self) -> PeopleDesk: ...

    @property
    def inviting(self) -> Inviting: ...

    @property
    def locking(self) -> Locking: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def still(self, stamp: Stamp) -> Caller:
        """Who has asked for what a second person agrees to may have signed out by then."""
        ...

    def second(self, stamp: Stamp) -> str:
        """The user who has agreed; "" where nobody had to."""
        ...

    def user(self, tenant: str, user: str) -> UserShown: ...

    async def ask_roles(self, request: RolesRequest, stamp: Stamp) -> str:
        """As somebody who asks `identity.set_roles`. The approval's id; "" where it is done."""
        ...


async def _invite(ask: InvitePersonRequest, stamp: Stamp, on: LookingAfter) -> InvitedReply:
    caller = on.caller(stamp)
    if ask.roles and len(ask.reason) < 3:
        raise Invalid("say in reason why they are given roles: 3 to 200 characters")
    act = partial(on.inviting.invite, caller, ask.user, ask.email, ask.name, ask.hours)
    until = await on.desk.crowd.run(act)
    asked = RolesRequest(ask.user, ask.roles, ask.reason)
    waits = await on.ask_roles(asked, stamp) if ask.roles else ""
    return InvitedReply(ask.user, str(until), waits)


async def _withdraw(ask: PersonRequest, stamp: Stamp, on: LookingAfter) -> UserShown:
    await asyncio.to_thread(on.inviting.withdraw, on.caller(stamp), ask.user)
    return await asyncio.to_thread(on.user, stamp.tenant, ask.user)


async def _accept(ask: AcceptInvitationRequest, stamp: Stamp, on: LookingAfter) -> SaidReply:
    who = (ask.tenant, ask.user)
    await on.desk.crowd.run(
        partial(on.inviting.accept, *who, ask.code, ask.password, stamp.address)
    )
    return SaidReply("welcome: sign in")


async def _lock(ask: PersonReasonRequest, stamp: Stamp, on: LookingAfter) -> UserShown:
    await asyncio.to_thread(on.locking.lock, on.caller(stamp), ask.user, ask.reason)
    return await asyncio.to_thread(on.user, stamp.tenant, ask.user)


async def _unlock(ask: PersonReasonRequest, stamp: Stamp, on: LookingAfter) -> UserShown:
    await asyncio.to_thread(on.locking.unlock, on.caller(stamp), ask.user, ask.reason)
    return await asyncio.to_thread(on.user, stamp.tenant, ask.user)


async def _end_sessions(ask: PersonRequest, stamp: Stamp, on: LookingAfter) -> SignedOutReply:
    found = await asyncio.to_thread(on.locking.end_sessions, on.caller(stamp), ask.user)
    return SignedOutReply(ask.user, *found)


async def _check_reset(ask: PersonReasonRequest, stamp: Stamp, on: LookingAfter) -> None:
    await asyncio.to_thread(on.locking.check_reset, stamp.tenant, ask.user)


async def _reset(ask: PersonReasonRequest, stamp: Stamp, on: LookingAfter) -> UserShown:
    caller, second = await asyncio.to_thread(on.still, stamp), on.second(stamp)
    await asyncio.to_thread(on.locking.reset, caller, ask.user, second)
    return await asyncio.to_thread(on.user, stamp.tenant, ask.user)


def _of_person(
    name: str,
    summary: str,
    way: tuple[str, str],
    types: tuple[Any, Any],
    answer: Any,
    **more: Any,
) -> Operation[Any, Any]:
    """Of somebody, by whoever runs the house."""
    method, path = way
    request, reply = types
    given: dict[str, Any] = {"scope": Scope.HOUSE_WRITE, "errors": (NotFound, Conflict), **more}
    return Do(
        name=name,
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        source="people",
        answer=answer,
        **given,
    )


_WHY: Final = {"reason": "left the firm, case 7"}

OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _of_person(
        "identity.invite_person",
        "Invite somebody: a link goes to their address, and they choose their own password.",
        ("POST", "/users/invitations"),
        (InvitePersonRequest, InvitedReply),
        _invite,
        errors=(Conflict, Invalid, Denied, Unavailable),
        status=201,
        secret=True,  # who they are
        example={"roles": ["trader"], "reason": "joins the desk"},
    ),
    _of_person(
        "identity.withdraw_invitation",
        "Make an invitation good no more.",
        ("DELETE", "/users/{user}/invitation"),
        (PersonRequest, UserShown),
        _withdraw,
    ),
    _of_person(
        "users.accept_invitation",
        "Choose your password by the link that you were sent.",
        ("POST", "/users/invitations/accept"),
        (AcceptInvitationRequest, SaidReply),
        _accept,
        scope="",
        errors=(Denied, Invalid, Unavailable),
        secret=True,
    ),
    _of_person(
        "identity.lock_person",
        "Lock somebody out: sessions end, keys are refused, at every door and at once.",
        ("POST", "/users/{user}/lock"),
        (PersonReasonRequest, UserShown),
        _lock,
        example=_WHY,
    ),
    _of_person(
        "identity.unlock_person",
        "Let somebody in again who is locked.",
        ("POST", "/users/{user}/unlock"),
        (PersonReasonRequest, UserShown),
        _unlock,
        example=_WHY,
    ),
    _of_person(
        "identity.end_sessions",
        "End every session of somebody, and what applications were given in their name.",
        ("POST", "/users/{user}/end-sessions"),
        (PersonRequest, SignedOutReply),
        _end_sessions,
    ),
    _of_person(
        "identity.reset_second_factor",
        "Take somebody's second factor away who has lost it; their sessions end.",
        ("POST", "/users/{user}/second-factor/reset"),
        (PersonReasonRequest, UserShown),
        _reset,
        needs_second=True,
        check=_check_reset,
        errors=(NotFound, Conflict, Denied),
        example={"reason": "their phone is lost, case 7"},
    ),
)
