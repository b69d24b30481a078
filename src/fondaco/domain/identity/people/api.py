"""What people may ask about themselves: register, sign in and out, second factor, sessions.

Operations without a scope are open; those that need somebody say so themselves, since a person
without any role may still look after their own password. A browser asks for a cookie, and gets no
token that a script could read; whatever changes something then carries the header X-CSRF-Token.
"""

import asyncio
from functools import partial
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Caller, NameText, Role, Scope
from fondaco.domain.identity.people import totp
from fondaco.domain.identity.people.desk import ISSUER, PeopleDesk, SignedIn, SignedInShown
from fondaco.domain.identity.people.overview import UserShown
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Answered, Do, Operation, Stamp

Password = Annotated[str, Meta(min_length=1, max_length=1_024, examples=["nine plain words help"])]
Code = Annotated[str, Meta(min_length=1, max_length=40, examples=["492039"])]
Email = Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", examples=["ada@example.com"])]
Text = Annotated[str, Meta(max_length=200)]
ClientToken = Annotated[str, Meta(max_length=100)]
SessionText = Annotated[str, Meta(pattern=r"^ses_[0-9a-f]{16}$", examples=["ses_5f2c9a1b4d3e6078"])]


class RegisterRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user` is a name for the journal, which keeps it for ever: nothing that says who you are.
    Name and address are kept apart, encrypted."""

    tenant: NameText
    user: NameText
    password: Password
    email: Email
    name: Text = ""


class SaidReply(msgspec.Struct, frozen=True):
    message: str


class VerifyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tenant: NameText
    user: NameText
    code: Code


class LoginRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`code` is of your authenticator, or a recovery code. `device` is what an earlier sign-in on
    this device was given. `cookie`: have a cookie for a browser, rather than a token."""

    tenant: NameText
    user: NameText
    password: Password
    code: Annotated[str, Meta(max_length=40)] = ""
    device: ClientToken = ""
    device_name: Text = ""
    cookie: bool = False


class LoginReply(msgspec.Struct, frozen=True):
    """`state` is "code_needed" where a second factor is asked for. `token` is a bearer token, ""
    where a cookie was asked for; then `csrf` goes with every request that changes something."""

    state: Literal["signed_in", "code_needed"]
    token: str = ""
    csrf: str = ""
    session_id: str = ""
    device: str = ""
    ends_at: str = ""
    second_factor: str = ""


class NoRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PasswordRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    old: Password
    new: Password


class EnrolRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: Password


class EnrolReply(msgspec.Struct, frozen=True):
    """`uri` is what the picture says; `picture` an image as a data: address."""

    secret: str
    uri: str
    picture: str


class ConfirmRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: Code


class RecoveryReply(msgspec.Struct, frozen=True):
    """Each is good once, in place of a code. They are shown this once."""

    recovery_codes: list[str]


class RemoveRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: Password
    code: Code


class SignedInReply(msgspec.Struct, frozen=True):
    items: list[SignedInShown]
    second_factor: bool
    recovery_codes_left: int


class EndSessionRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session_id: SessionText


class EndedReply(msgspec.Struct, frozen=True):
    """`sign_out_at` is where a browser goes to be signed out of the provider, too, that it signed
    in with; "" for none."""

    ended: int
    sign_out_at: str = ""


class RolesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that the user is to be; none takes everything away."""

    user: NameText
    roles: Annotated[list[Role], Meta(max_length=16)]
    reason: Annotated[str, Meta(min_length=3, max_length=200)]


class UsersReply(msgspec.Struct, frozen=True):
    items: list[UserShown]


class Asked(Protocol):
    """What the door is given to answer from."""

    @property
    def desk(self) -> PeopleDesk: ...

    def caller(self, stamp: Stamp) -> Caller: ...

    def cookie(self, token: str, seconds: int) -> tuple[bytes, bytes]: ...

    def csrf(self, token: str) -> str: ...

    def sign_out_at(self, caller: Caller) -> str: ...

    def picture(self, uri: str) -> str: ...

    def users(self, tenant: str) -> list[UserShown]: ...

    def check_roles(self, tenant: str, user: str, roles: list[Role]) -> None: ...

    def set_roles(self, tenant: str, user: str, roles: list[Role]) -> UserShown: ...


REGISTERED: Final = SaidReply(
    "if the name was free, a message with a code is on its way to that address: verify with it"
)


async def _register(ask: RegisterRequest, _: Stamp, on: Asked) -> SaidReply:
    act = partial(on.desk.register, ask.tenant, ask.user, ask.password, ask.email, ask.name)
    await on.desk.crowd.run(act)
    return REGISTERED


async def _verify(ask: VerifyRequest, stamp: Stamp, on: Asked) -> SaidReply:
    await asyncio.to_thread(on.desk.verify, ask.tenant, ask.user, ask.code, stamp.address)
    return SaidReply("verified: sign in")


async def _login(ask: LoginRequest, stamp: Stamp, on: Asked) -> Any:
    act = partial(
        on.desk.sign_in,
        ask.tenant,
        ask.user,
        ask.password,
        ask.code,
        address=stamp.address,
        device=ask.device,
        device_name=ask.device_name,
    )
    found = await on.desk.crowd.run(act)
    if found is None:
        return LoginReply("code_needed")
    return replied(found, on, stamp.at, cookie=ask.cookie)


class Cookies(Protocol):
    """How a browser is given a session."""

    def cookie(self, token: str, seconds: int) -> tuple[bytes, bytes]: ...

    def csrf(self, token: str) -> str: ...


def replied(found: SignedIn, on: Cookies, at: Instant, *, cookie: bool) -> Any:
    """To somebody who has signed in, by whatever."""
    reply = LoginReply(
        "signed_in",
        "" if cookie else found.token,
        on.csrf(found.token) if cookie else "",
        found.session_id,
        found.device,
        str(found.ends_at),
        found.second_factor,
    )
    if not cookie:
        return reply
    seconds = (found.ends_at - at) // 1_000_000_000
    return Answered(reply, headers=(on.cookie(found.token, seconds),))


async def _logout(_: NoRequest, stamp: Stamp, on: Asked) -> Any:
    caller = on.caller(stamp)
    await asyncio.to_thread(on.desk.end_session, caller, caller.key_id)
    there = await asyncio.to_thread(on.sign_out_at, caller)
    return Answered(EndedReply(1, there), headers=(on.cookie("", 0),))


async def _password(ask: PasswordRequest, stamp: Stamp, on: Asked) -> SaidReply:
    caller = on.caller(stamp)
    await asyncio.to_thread(on.desk.change_password, caller, ask.old, ask.new, stamp.address)
    return SaidReply("changed; your other sessions have ended")


async def _enrol(ask: EnrolRequest, stamp: Stamp, on: Asked) -> EnrolReply:
    caller = on.caller(stamp)
    secret = await asyncio.to_thread(on.desk.enrol, caller, ask.password, stamp.address)
    uri = totp.uri_of(secret, caller.user, ISSUER)
    return EnrolReply(totp.shown(secret), uri, on.picture(uri))


async def _confirm(ask: ConfirmRequest, stamp: Stamp, on: Asked) -> RecoveryReply:
    caller = on.caller(stamp)
    return RecoveryReply(await asyncio.to_thread(on.desk.confirm, caller, ask.code, stamp.address))


async def _remove(ask: RemoveRequest, stamp: Stamp, on: Asked) -> SaidReply:
    caller = on.caller(stamp)
    await asyncio.to_thread(on.desk.remove, caller, ask.password, ask.code, stamp.address)
    return SaidReply("removed: your password alone signs you in")


async def _sessions(_: NoRequest, stamp: Stamp, on: Asked) -> SignedInReply:
    caller = on.caller(stamp)
    items = await asyncio.to_thread(on.desk.sessions, caller)
    has, left = await asyncio.to_thread(on.desk.has_second_factor, caller)
    return SignedInReply(items, has, left)


async def _end_session(ask: EndSessionRequest, stamp: Stamp, on: Asked) -> EndedReply:
    await asyncio.to_thread(on.desk.end_session, on.caller(stamp), ask.session_id)
    return EndedReply(1)


async def _end_others(_: NoRequest, stamp: Stamp, on: Asked) -> EndedReply:
    caller = on.caller(stamp)
    return EndedReply(await asyncio.to_thread(on.desk.end_sessions, caller, but_this=True))


async def _users(_: NoRequest, stamp: Stamp, on: Asked) -> UsersReply:
    return UsersReply(await asyncio.to_thread(on.users, stamp.tenant))


async def _check_roles(ask: RolesRequest, stamp: Stamp, on: Asked) -> None:
    await asyncio.to_thread(on.check_roles, stamp.tenant, ask.user, ask.roles)


async def _set_roles(ask: RolesRequest, stamp: Stamp, on: Asked) -> UserShown:
    return await asyncio.to_thread(on.set_roles, stamp.tenant, ask.user, ask.roles)


def _own(
    name: str,
    summary: str,
    way: tuple[str, str],
    types: tuple[Any, Any],
    answer: Any,
    *,
    status: int = 200,
    example: dict[str, Any] | None = None,
) -> Operation[Any, Any]:
    """Of oneself, or open to everybody."""
    method, path = way
    request, reply = types
    return Do(
        name=f"users.{name}",
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        scope="",
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        status=status,
        secret=method != "GET",  # passwords, codes and tokens
        source="people",
        answer=answer,
        example=example,
    )


_MINE: Final[tuple[Operation[Any, Any], ...]] = (
    _own(
        "register",
        "Register yourself; a message with a code goes to your address.",
        ("POST", "/users/register"),
        (RegisterRequest, SaidReply),
        _register,
        status=200,
    ),
    _own(
        "verify",
        "Give the code that was sent to your address.",
        ("POST", "/users/verify"),
        (VerifyRequest, SaidReply),
        _verify,
    ),
    _own(
        "login",
        "Sign in with a password, and a code where you have a second factor.",
        ("POST", "/users/login"),
        (LoginRequest, LoginReply),
        _login,
    ),
    _own(
        "logout",
        "End this session.",
        ("POST", "/users/logout"),
        (NoRequest, EndedReply),
        _logout,
    ),
    _own(
        "password",
        "Change your password; your other sessions end.",
        ("PUT", "/users/password"),
        (PasswordRequest, SaidReply),
        _password,
    ),
    _own(
        "enrol_totp",
        "Begin a second factor: a secret for your authenticator, also as a picture.",
        ("POST", "/users/totp"),
        (EnrolRequest, EnrolReply),
        _enrol,
        status=201,
    ),
    _own(
        "confirm_totp",
        "Confirm the second factor with a code; recovery codes are shown this once.",
        ("POST", "/users/totp/confirm"),
        (ConfirmRequest, RecoveryReply),
        _confirm,
    ),
    _own(
        "remove_totp",
        "Remove your second factor; it takes both.",
        ("POST", "/users/totp/remove"),
        (RemoveRequest, SaidReply),
        _remove,
    ),
    _own(
        "sessions",
        "Where you are signed in, and whether you have a second factor.",
        ("GET", "/users/sessions"),
        (NoRequest, SignedInReply),
        _sessions,
    ),
    _own(
        "end_session",
        "End one of your sessions.",
        ("DELETE", "/users/sessions/{session_id}"),
        (EndSessionRequest, EndedReply),
        _end_session,
    ),
    _own(
        "end_other_sessions",
        "End all your sessions but this one.",
        ("POST", "/users/sessions/end-others"),
        (NoRequest, EndedReply),
        _end_others,
    ),
)
OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    *_MINE,
    Do(
        name="identity.users",
        summary="The tenant's users, and what they may do.",
        method="GET",
        path="/users",
        request=NoRequest,
        reply=UsersReply,
        scope=Scope.HOUSE_READ,
        source="people",
        answer=_users,
    ),
    Do(
        name="identity.set_roles",
        summary="Say what a user is in the house.",
        method="PUT",
        path="/users/{user}/roles",
        request=RolesRequest,
        reply=UserShown,
        scope=Scope.HOUSE_WRITE,
        errors=(NotFound, Conflict),
        needs_second=True,
        source="people",
        answer=_set_roles,
        check=_check_roles,
        example={"roles": ["trader"]},
    ),
)
