"""What a page asks first: which house this is, who the caller is, and how they want it to look.

`identity.welcome` is open to everybody, since a sign-in page says it before anybody has signed in.
"""

import asyncio
from typing import Any, Final, Literal, Protocol

import msgspec

from fondaco.domain.identity.directory import Directory
from fondaco.domain.identity.model import NameText, Scope
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.operation import Do, Look, Stamp

PREFERENCES_MAX: Final = 65_536  # bytes of one, as JSON
PREFERENCES_COUNT_MAX: Final = 100  # of one user
Environment = Literal["live", "paper", "replay", "synthetic", "none"]


class WelcomeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Welcome(msgspec.Struct, frozen=True):
    """`environment` says whose prices these are: those of a market with orders that go to the
    house's own venues (paper), a recording's (replay), nobody's (synthetic)."""

    name: str
    version: str
    environment: Environment
    feed: str
    speed: str  # of a replay, "20"; else ""
    at: str  # the house's clock: nanoseconds since 1970, UTC
    started_at: str
    token: str  # of a demo house, which listens to this machine alone; else ""


class SessionReply(msgspec.Struct, frozen=True):
    """Who asks. `accounts` null: all of the tenant's. `behind` is the user who asks in this one's
    name, by broken glass, which is to be said on every page."""

    caller: str
    tenant: str
    user: str
    roles: list[str]
    scopes: list[str]
    accounts: list[str] | None
    behind: str = ""


class PreferenceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: NameText


class PreferenceReply(msgspec.Struct, frozen=True):
    """`version` is 0, and `value` null, where nothing was kept under this name."""

    name: str
    version: int
    value: Any
    updated_at: str  # nanoseconds since 1970, UTC


class SetPreferenceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last one who sets it is right; `version` in the answer tells how often it was set."""

    name: NameText
    value: dict[str, Any]


class About(Protocol):
    """What app.py tells of the house that is running."""

    def __call__(self) -> Welcome: ...


class Asking(Protocol):
    @property
    def source(self) -> Any: ...


def _welcome(_: WelcomeRequest, on: Asking) -> Welcome:
    found: Welcome = on.source()
    return found


async def _session(_: WelcomeRequest, stamp: Stamp, directory: Directory) -> SessionReply:
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    return SessionReply(
        caller.name,
        caller.tenant,
        caller.user,
        [str(role) for role in caller.roles],
        sorted(caller.scopes),
        None if caller.accounts is None else sorted(caller.accounts),
        caller.behind,
    )


async def _preference(ask: PreferenceRequest, stamp: Stamp, directory: Directory) -> Any:
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    found = await asyncio.to_thread(directory.preference, caller, ask.name)
    return _shown(ask.name, found)


async def _set_preference(ask: SetPreferenceRequest, stamp: Stamp, directory: Directory) -> Any:
    value = msgspec.json.encode(ask.value)
    if len(value) > PREFERENCES_MAX:
        raise Invalid(
            f"{ask.name} is {len(value)} bytes of JSON, must be at most {PREFERENCES_MAX}"
        )
    caller = directory.caller_named(stamp.tenant, stamp.caller)
    found = await asyncio.to_thread(
        directory.set_preference, caller, ask.name, value.decode(), PREFERENCES_COUNT_MAX
    )
    return _shown(ask.name, found)


def _shown(name: str, found: tuple[int, str, Instant] | None) -> PreferenceReply:
    version, value, at = found or (0, "null", Instant(0))
    return PreferenceReply(name, version, msgspec.json.decode(value), str(at))


welcome: Final = Look(
    name="identity.welcome",
    summary="Say which house this is, before anybody has signed in.",
    method="GET",
    path="/welcome",
    request=WelcomeRequest,
    reply=Welcome,
    scope="",
    source="about",
    answer=_welcome,
    on_loop=True,
)
session: Final = Do(
    name="identity.session",
    summary="Say who you are here: user, tenant, scopes and accounts of your key.",
    method="GET",
    path="/session",
    request=WelcomeRequest,
    reply=SessionReply,
    scope=Scope.MARKET_READ,
    source="identity",
    answer=_session,
)
preference: Final = Do(
    name="identity.preference",
    summary="Read what you keep here under a name: layouts and settings of a page.",
    method="GET",
    path="/preferences/{name}",
    request=PreferenceRequest,
    reply=PreferenceReply,
    scope=Scope.MARKET_READ,
    source="identity",
    answer=_preference,
)
set_preference: Final = Do(
    name="identity.set_preference",
    summary="Keep something of yours under a name, such as the layout of a page.",
    method="PUT",
    path="/preferences/{name}",
    request=SetPreferenceRequest,
    reply=PreferenceReply,
    scope=Scope.MARKET_READ,
    source="identity",
    answer=_set_preference,
    example={"value": {"theme": "dark"}},
)

OPERATIONS: Final = (welcome, session, preference, set_preference)
