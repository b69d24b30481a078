"""What is asked about webhooks: where events go, what came of it, and to send some again."""

from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.notify.model import (
    OVERLAP_MAX_S,
    URL_MAX,
    DeliveryState,
    EventText,
    State,
    WebhookIdText,
)
from fondaco.kernel.errors import Conflict, NotFound
from fondaco.kernel.operation import Do, Operation, Stamp

DAY_S: Final = 86_400
UrlText = Annotated[
    str, Meta(min_length=8, max_length=URL_MAX, examples=["https://app.example.com/fondaco"])
]
Events = Annotated[list[EventText], Meta(min_length=1, max_length=50)]
Accounts = Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(min_length=1, max_length=100)]
DescriptionText = Annotated[str, Meta(max_length=200)]
Position = Annotated[int, Meta(ge=0, le=2**62)]
DeliveryNumber = Annotated[int, Meta(ge=1, le=2**53)]


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class EventType(msgspec.Struct, frozen=True):
    """`ordered_by` says what messages of this type keep their order within. `data` is the JSON
    Schema of what stands in the body under that name. Who asks for `topic`, or one of `aliases`, is
    told by that name; `topic` is "" where no document has one."""

    type: str
    summary: str
    scope: str
    ordered_by: str
    data: dict[str, Any]
    family: str
    topic: str
    aliases: list[str]


class EventTypes(msgspec.Struct, frozen=True):
    items: list[EventType]


class CreateWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`events`: "*", "order.*" or "order.accepted.v1"; `accounts` absent: all that you may use."""

    url: UrlText
    events: Events
    accounts: Accounts | None = None
    description: DescriptionText = ""


class WebhookShown(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, UTC; "" where there is none. `waiting`, `delivered`,
    `given_up` and `withheld` count what the delivery log still holds."""

    webhook_id: str
    url: str
    events: list[str]
    accounts: list[str] | None
    description: str
    owner: str
    state: State
    reason: str
    created_at: str
    changed_at: str
    since: int
    position: int  # of the journal, up to which messages were queued
    waiting: int
    delivered: int
    given_up: int
    withheld: int
    failing_since: str


class CreatedWebhook(msgspec.Struct, frozen=True):
    """`secret` is shown this once: it verifies what is received."""

    secret: str
    webhook: WebhookShown


class WebhooksReply(msgspec.Struct, frozen=True):
    items: list[WebhookShown]


class NamedWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    webhook_id: WebhookIdText


class ChangeWebhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is absent stays. `from_now`: what was not sent yet is not sent."""

    webhook_id: WebhookIdText
    url: UrlText | None = None
    events: Events | None = None
    description: DescriptionText | None = None
    state: Literal["active", "paused"] | None = None
    from_now: bool = False


class Gone(msgspec.Struct, frozen=True):
    removed: str


class RotateSecret(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For so long the secret before signs, too; 0: not any more."""

    webhook_id: WebhookIdText
    overlap_s: Annotated[int, Meta(ge=0, le=OVERLAP_MAX_S)] = DAY_S


class RotatedSecret(msgspec.Struct, frozen=True):
    secret: str
    until: str  # the secret before signs, too


class TestSent(msgspec.Struct, frozen=True):
    """The delivery log shows what has become of it under this id."""

    msg_id: str
    position: int


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was written behind the position `after`, or since the time `since` (nanoseconds since
    1970, UTC), up to `until`; 0: up to now. `dry_run` counts and sends nothing."""

    webhook_id: WebhookIdText
    after: Position | None = None
    since: Position | None = None
    until: Position = 0
    events: Events | None = None
    dry_run: bool = True


class ReplayReply(msgspec.Struct, frozen=True):
    """`counts`, by type, of a dry run; `is_whole` is false where there is more than was counted.
    A second one is of exactly the same range with `after` and `until` as given here."""

    dry_run: bool
    after: int
    until: int
    count: int
    counts: dict[str, int]
    is_whole: bool


class DeliveriesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    webhook_id: WebhookIdText
    state: DeliveryState | None = None
    resource: Annotated[str, Meta(max_length=200, examples=["account/demo"])] = ""
    before: DeliveryNumber | None = None
    limit: Annotated[int, Meta(ge=1, le=500)] = 100


class DeliveryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One message to one endpoint. Bodies are not kept: they are worked out of the journal entry
    at `position` whenever they are sent. `last_status` is HTTP's, 0 where nothing was answered."""

    number: int
    msg_id: str
    type: str
    resource: str
    position: int
    is_replay: bool
    state: DeliveryState
    queued_at: str
    attempts: int
    next_at: str
    finished_at: str
    last_status: int
    last_error: str


class DeliveriesReply(msgspec.Struct, frozen=True):
    """`next` is the `before` of the next page; 0: that was all."""

    items: list[DeliveryLine]
    next: int


class DeliveryRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    webhook_id: WebhookIdText
    number: DeliveryNumber


class AttemptLine(msgspec.Struct, frozen=True):
    """One request. Of its body the size and hash are kept, of the answer its status alone."""

    nth: int
    at: str
    status: int
    error: str
    latency_ms: int
    body_bytes: int
    body_sha256: str


class DeliveryReply(DeliveryLine, frozen=True, kw_only=True):
    tries: list[AttemptLine]


class Webhooks(Protocol):
    """What the door is given to answer from."""

    async def event_types(self) -> EventTypes: ...

    async def create(self, ask: CreateWebhook, stamp: Stamp) -> CreatedWebhook: ...

    async def listed(self, stamp: Stamp) -> WebhooksReply: ...

    async def shown(self, ask: NamedWebhook, stamp: Stamp) -> WebhookShown: ...

    async def change(self, ask: ChangeWebhook, stamp: Stamp) -> WebhookShown: ...

    async def remove(self, ask: NamedWebhook, stamp: Stamp) -> Gone: ...

    async def rotate(self, ask: RotateSecret, stamp: Stamp) -> RotatedSecret: ...

    async def send_test(self, ask: NamedWebhook, stamp: Stamp) -> TestSent: ...

    async def replay(self, ask: ReplayRequest, stamp: Stamp) -> ReplayReply: ...

    async def deliveries(self, ask: DeliveriesRequest, stamp: Stamp) -> DeliveriesReply: ...

    async def delivery(self, ask: DeliveryRequest, stamp: Stamp) -> DeliveryReply: ...


async def _event_types(_: NoFields, __: Stamp, on: Webhooks) -> EventTypes:
    return await on.event_types()


async def _create(ask: CreateWebhook, stamp: Stamp, on: Webhooks) -> CreatedWebhook:
    return await on.create(ask, stamp)


async def _listed(_: NoFields, stamp: Stamp, on: Webhooks) -> WebhooksReply:
    return await on.listed(stamp)


async def _shown(ask: NamedWebhook, stamp: Stamp, on: Webhooks) -> WebhookShown:
    return await on.shown(ask, stamp)


async def _change(ask: ChangeWebhook, stamp: Stamp, on: Webhooks) -> WebhookShown:
    return await on.change(ask, stamp)


async def _remove(ask: NamedWebhook, stamp: Stamp, on: Webhooks) -> Gone:
    return await on.remove(ask, stamp)


async def _rotate(ask: RotateSecret, stamp: Stamp, on: Webhooks) -> RotatedSecret:
    return await on.rotate(ask, stamp)


async def _send_test(ask: NamedWebhook, stamp: Stamp, on: Webhooks) -> TestSent:
    return await on.send_test(ask, stamp)


async def _replay(ask: ReplayRequest, stamp: Stamp, on: Webhooks) -> ReplayReply:
    return await on.replay(ask, stamp)


async def _deliveries(ask: DeliveriesRequest, stamp: Stamp, on: Webhooks) -> DeliveriesReply:
    return await on.deliveries(ask, stamp)


async def _delivery(ask: DeliveryRequest, stamp: Stamp, on: Webhooks) -> DeliveryReply:
    return await on.delivery(ask, stamp)


_PATH: Final = "/webhooks/{webhook_id}"
OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="webhooks.event_types",
        summary="What webhooks tell: every type with its version and the schema of its data.",
        method="GET",
        path="/webhooks/event-types",
        request=NoFields,
        reply=EventTypes,
        scope=Scope.WEBHOOKS_READ,
        source="webhooks",
        answer=_event_types,
    ),
    Do(
        name="webhooks.create",
        summary="Send events to an address from now on; its secret is shown this once.",
        method="POST",
        path="/webhooks",
        request=CreateWebhook,
        reply=CreatedWebhook,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(Conflict, NotFound),
        status=201,
        secret=True,
        source="webhooks",
        answer=_create,
        example={"url": "https://app.example.com/fondaco", "events": ["order.*"]},
    ),
    Do(
        name="webhooks.overview",
        summary="The tenant's webhooks, and how they fare.",
        method="GET",
        path="/webhooks",
        request=NoFields,
        reply=WebhooksReply,
        scope=Scope.WEBHOOKS_READ,
        source="webhooks",
        answer=_listed,
    ),
    Do(
        name="webhooks.show",
        summary="One webhook, and how it fares.",
        method="GET",
        path=_PATH,
        request=NamedWebhook,
        reply=WebhookShown,
        scope=Scope.WEBHOOKS_READ,
        errors=(NotFound,),
        source="webhooks",
        answer=_shown,
    ),
    Do(
        name="webhooks.change",
        summary="Change, pause or go on with a webhook; what was written meanwhile is sent then.",
        method="PATCH",
        path=_PATH,
        request=ChangeWebhook,
        reply=WebhookShown,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(NotFound,),
        source="webhooks",
        answer=_change,
    ),
    Do(
        name="webhooks.remove",
        summary="Remove a webhook; what it was not sent yet is not sent.",
        method="DELETE",
        path=_PATH,
        request=NamedWebhook,
        reply=Gone,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(NotFound,),
        source="webhooks",
        answer=_remove,
    ),
    Do(
        name="webhooks.rotate_secret",
        summary="Sign with a new secret, shown this once; the one before signs too for a while.",
        method="POST",
        path=f"{_PATH}/rotate-secret",
        request=RotateSecret,
        reply=RotatedSecret,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(NotFound,),
        secret=True,
        source="webhooks",
        answer=_rotate,
    ),
    Do(
        name="webhooks.send_test",
        summary="Send a test message to a webhook.",
        method="POST",
        path=f"{_PATH}/test",
        request=NamedWebhook,
        reply=TestSent,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(Conflict, NotFound),
        source="webhooks",
        answer=_send_test,
    ),
    Do(
        name="webhooks.replay",
        summary="Send again what was written since a position or a time; at first only count it.",
        method="POST",
        path=f"{_PATH}/replay",
        request=ReplayRequest,
        reply=ReplayReply,
        scope=Scope.WEBHOOKS_WRITE,
        errors=(Conflict, NotFound),
        source="webhooks",
        answer=_replay,
        example={"after": 0},
    ),
    Do(
        name="webhooks.deliveries",
        summary="What was sent to a webhook, what waits, and what was given up, newest first.",
        method="GET",
        path=f"{_PATH}/deliveries",
        request=DeliveriesRequest,
        reply=DeliveriesReply,
        scope=Scope.WEBHOOKS_READ,
        errors=(NotFound,),
        source="webhooks",
        answer=_deliveries,
    ),
    Do(
        name="webhooks.delivery",
        summary="One delivery with each of its attempts.",
        method="GET",
        path=f"{_PATH}/deliveries/{{number}}",
        request=DeliveryRequest,
        reply=DeliveryReply,
        scope=Scope.WEBHOOKS_READ,
        errors=(NotFound,),
        source="webhooks",
        answer=_delivery,
    ),
)
