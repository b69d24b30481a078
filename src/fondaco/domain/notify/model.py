"""Endpoints of other programs, what may be said of their addresses, and when they are tried again.

The wire is Standard Webhooks (standardwebhooks.com); `signatures.py` signs.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from fondaco.kernel.event import Instant, StreamId

PREFIX: Final = "webhooks/"
SECOND_NS: Final = 1_000_000_000
# Seconds from one attempt to the next: about three and a half days in all, then it is given up.
RETRY_AFTER_S: Final = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
DISABLE_AFTER_S: Final = 5 * 86_400  # of nothing but failures
RETRY_ASKED_MAX_S: Final = 86_400  # what a receiver may ask for with Retry-After
HOLD_FROM: Final = 5  # failures one after the other, after which an endpoint is tried seldom
HOLD_MAX_S: Final = 300
OVERLAP_MAX_S: Final = 7 * 86_400  # two secrets sign at once
URL_MAX: Final = 2_000
ALL: Final = "*"
OK: Final = range(200, 300)
GONE: Final = 410

State = Literal["active", "paused", "disabled"]
DeliveryState = Literal["waiting", "delivered", "given_up", "withheld"]
WebhookIdText = Annotated[str, Meta(pattern=r"^wh_[0-9a-f]{16}$", examples=["wh_5f2c9a1b4d3e6078"])]
EventText = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[a-z_]+\.\*|[a-z_]+\.[a-z_]+\.v[0-9]+|[a-z]+\.[a-z-]+)$",
        examples=["order.*"],
    ),
]


class Endpoint(msgspec.Struct, frozen=True):
    """Where one program of a tenant hears of events. `accounts` None: all of the tenant's.
    `scopes` are those that its maker held; what its owner has lost since, it hears no more."""

    webhook_id: str
    tenant: str
    owner: str
    url: str
    events: tuple[str, ...]
    accounts: tuple[str, ...] | None
    scopes: frozenset[str]
    description: str
    state: State
    reason: str  # why it is not active
    since: int  # the journal position behind which it hears
    created_at: Instant
    changed_at: Instant

    def wants(self, type_name: str) -> bool:
        return any(matches(pattern, type_name) for pattern in self.events)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


def stream_of(tenant: str) -> StreamId:
    return StreamId(PREFIX + tenant)


def matches(pattern: str, type_name: str) -> bool:
    """ "*" is all, "order.*" all about orders, "order.accepted.v1" that one. The name that
    documents have for a type, "trading.order-placed", is only itself."""
    if pattern == ALL:
        return True
    if pattern.endswith(".*"):
        return type_name.startswith(pattern[:-1])
    return pattern == type_name


def message_name(stream: StreamId, version: int) -> str:
    """The webhook-id of what an entry says: the same at every endpoint, attempt and replay."""
    return f"msg_{blake2b(f'{stream}@{version}'.encode(), digest_size=15).hexdigest()}"


def retry_at(failures: int, now: Instant, msg_id: str, asked_s: int = 0) -> Instant | None:
    """When a message that has failed so often is tried again; None: never. Up to a tenth is added,
    by the message, so that what failed together does not come back together."""
    if failures > len(RETRY_AFTER_S):
        return None
    wait_s = max(RETRY_AFTER_S[failures - 1], min(asked_s, RETRY_ASKED_MAX_S))
    part = int.from_bytes(blake2b(f"{msg_id}/{failures}".encode(), digest_size=2).digest()) / 65_536
    return Instant(now + int(wait_s * (1 + part / 10) * SECOND_NS))


def hold_s(streak: int) -> int:
    """How long nothing is sent to an endpoint that has failed so often in a row."""
    return 0 if streak < HOLD_FROM else min(2 ** (streak - HOLD_FROM), HOLD_MAX_S)


def normal(patterns: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(frozenset(patterns)))
