"""What is asked about notices: how somebody wants to hear of things, what came of it, a test."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.notify.notices.model import ChosenWay, NoticeState, Quiet, Topic, Way
from fondaco.kernel.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from fondaco.kernel.operation import Do, Operation, Stamp

Number = Annotated[int, Meta(ge=0, le=2**53)]
Ways = Annotated[list[ChosenWay], Meta(max_length=3)]
AccountNames = Annotated[
    list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=100)
]
KeyText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{16,200}$")]
SubscriptionIdText = Annotated[str, Meta(pattern=r"^sub_[0-9a-f]{16}$")]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class TopicShown(msgspec.Struct, frozen=True):
    """`usual` is what holds for who has chosen nothing; `kinds` are what is told under it."""

    topic: Topic
    ways: list[ChosenWay]
    usual: list[ChosenWay]
    kinds: list[str]


class SubscriptionShown(msgspec.Struct, frozen=True):
    subscription_id: str
    host: str
    created_at: str


class PreferencesShown(msgspec.Struct, frozen=True):
    """`email` is where mails go, "" where no address is known; `mail` how they do: "server", or
    "folder" where no mail server is configured; `push_key` is what a browser subscribes with."""

    topics: list[TopicShown]
    quiet: Quiet | None
    accounts: list[str] | None
    email: str
    mail: Literal["server", "folder"]
    has_pager: bool
    push_key: str
    subscriptions: list[SubscriptionShown]


class ChoosePreferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of it: a topic that is not named is as usual. `accounts` null: every account of the
    tenant's that you may use."""

    ways: dict[Topic, Ways] = {}
    quiet: Quiet | None = None
    accounts: AccountNames | None = None


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What PushSubscription.toJSON() of a browser says, without its `expirationTime`."""

    endpoint: Annotated[
        str, Meta(min_length=12, max_length=1_000, examples=["https://push.example.com/send/1"])
    ]
    p256dh: KeyText
    auth: KeyText


class NamedSubscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subscription_id: SubscriptionIdText


class Unsubscribed(msgspec.Struct, frozen=True):
    removed: str


class TestRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    way: Way = "email"


class TestQueued(msgspec.Struct, frozen=True):
    """The log shows what has become of it."""

    numbers: list[int]


class InboxRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    before: Number = 0
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class InboxLine(msgspec.Struct, frozen=True):
    """`leads_to` is what it is about: "order/demo.57", "account/demo", "you"; "" where its entry at
    `position` alone says."""

    number: int
    notice_id: str
    kind: str
    topic: str
    subject: str
    text: str
    at: str
    position: int
    is_seen: bool
    leads_to: str = ""


class Inbox(msgspec.Struct, frozen=True):
    """Newest first; `next` is the `before` of the next page, 0: that was all."""

    items: list[InboxLine]
    unseen: int
    next: int


class SeeRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    up_to: Number


class Seen(msgspec.Struct, frozen=True):
    unseen: int


class LogRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`everybody`: of all in the tenant, for who holds house:read."""

    way: Way | None = None
    state: NoticeState | None = None
    everybody: bool = False
    before: Number = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class LogLine(msgspec.Struct, frozen=True):
    """One notice to one person by one way. Times are nanoseconds since 1970, UTC; "" where there is
    none. What it said is not kept: it is worked out of the journal entry at `position`."""

    number: int
    notice_id: str
    user: str
    kind: str
    topic: str
    way: str
    state: NoticeState
    attempts: int
    detail: str
    position: int
    queued_at: str
    next_at: str
    finished_at: str


class LogReply(msgspec.Struct, frozen=True):
    items: list[LogLine]
    next: int


class Notices(Protocol):
    """What the door is given to answer from."""

    async def shown(self, stamp: Stamp) -> PreferencesShown: ...

    async def choose(self, ask: ChoosePreferences, stamp: Stamp) -> PreferencesShown: ...

    async def subscribe(self, ask: Subscribe, stamp: Stamp) -> SubscriptionShown: ...

    async def unsubscribe(self, ask: NamedSubscription, stamp: Stamp) -> Unsubscribed: ...

    async def send_test(self, ask: TestRequest, stamp: Stamp) -> TestQueued: ...

    async def inbox(self, ask: InboxRequest, stamp: Stamp) -> Inbox: ...

    async def see(self, ask: SeeRequest, stamp: Stamp) -> Seen: ...

    async def log(self, ask: LogRequest, stamp: Stamp) -> LogReply: ...


async def _shown(_: Nothing, stamp: Stamp, on: Notices) -> PreferencesShown:
    return await on.shown(stamp)


async def _choose(ask: ChoosePreferences, stamp: Stamp, on: Notices) -> PreferencesShown:
    return await on.choose(ask, stamp)


async def _subscribe(ask: Subscribe, stamp: Stamp, on: Notices) -> SubscriptionShown:
    return await on.subscribe(ask, stamp)


async def _unsubscribe(ask: NamedSubscription, stamp: Stamp, on: Notices) -> Unsubscribed:
    return await on.unsubscribe(ask, stamp)


async def _send_test(ask: TestRequest, stamp: Stamp, on: Notices) -> TestQueued:
    return await on.send_test(ask, stamp)


async def _inbox(ask: InboxRequest, stamp: Stamp, on: Notices) -> Inbox:
    return await on.inbox(ask, stamp)


async def _see(ask: SeeRequest, stamp: Stamp, on: Notices) -> Seen:
    return await on.see(ask, stamp)


async def _log(ask: LogRequest, stamp: Stamp, on: Notices) -> LogReply:
    return await on.log(ask, stamp)


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
    """Of oneself: open to any role, not to strangers."""
    method, path = way
    request, reply = types
    return Do(
        name=f"notifications.{name}",
        summary=summary,
        method=method,  # type: ignore[arg-type]
        path=path,
        request=request,
        reply=reply,
        scope="",
        errors=(Denied, Invalid, Conflict, NotFound, Unavailable),
        status=status,
        secret=True,  # who is told what is about a person: doors keep nothing of it
        source="notices",
        answer=answer,
        example=example,
    )


_PATH: Final = "/notifications"
OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    _own(
        "preferences",
        "How you want to hear of what, and how you can.",
        ("GET", f"{_PATH}/preferences"),
        (Nothing, PreferencesShown),
        _shown,
    ),
    _own(
        "choose",
        "Say how you want to hear of what, and when you want to be left alone.",
        ("PUT", f"{_PATH}/preferences"),
        (ChoosePreferences, PreferencesShown),
        _choose,
        example={"ways": {"orders": ["inbox"]}},
    ),
    _own(
        "subscribe",
        "Be told by push in this browser.",
        ("POST", f"{_PATH}/push"),
        (Subscribe, SubscriptionShown),
        _subscribe,
        status=201,
    ),
    _own(
        "unsubscribe",
        "Be told by push in a browser no more.",
        ("DELETE", f"{_PATH}/push/{{subscription_id}}"),
        (NamedSubscription, Unsubscribed),
        _unsubscribe,
    ),
    _own(
        "send_test",
        "Send yourself a test; the pager's, for who runs the house.",
        ("POST", f"{_PATH}/test"),
        (TestRequest, TestQueued),
        _send_test,
        example={"way": "inbox"},
    ),
    _own(
        "inbox",
        "What you were told, newest first.",
        ("GET", _PATH),
        (InboxRequest, Inbox),
        _inbox,
    ),
    _own(
        "see",
        "Say that you have seen what you were told.",
        ("POST", f"{_PATH}/seen"),
        (SeeRequest, Seen),
        _see,
    ),
    _own(
        "deliveries",
        "What was sent to you by which way, and what came of it, newest first.",
        ("GET", f"{_PATH}/deliveries"),
        (LogRequest, LogReply),
        _log,
    ),
)
