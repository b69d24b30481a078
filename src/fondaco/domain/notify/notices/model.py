"""Topics, ways, and what a person has chosen among them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant, StreamId

SECOND_NS: Final = 1_000_000_000
# Seconds from one attempt to the next; after that it is given up: about nine hours.
RETRY_AFTER_S: Final = (5, 30, 300, 1_800, 7_200, 21_600)
STALE_AFTER_S: Final = 86_400  # what happened longer ago is no news
HOUR_MAX: Final = 60  # notices of one person, by one way, within an hour
SUBSCRIPTIONS_MAX: Final = 10
KEPT_S: Final = 30 * 86_400

Topic = Literal[
    "security", "orders", "margin", "approvals", "kyc", "surveillance", "house", "evaluation",
    "reports", "payments",
]  # fmt: skip
Way = Literal["inbox", "email", "push", "pager"]
# "pager" is the house's own: nobody chooses it for themselves.
ChosenWay = Literal["inbox", "email", "push"]
NoticeState = Literal["waiting", "delivered", "kept", "refused", "given_up", "withheld"]
TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)

# What nobody needs to have asked for. Orders are many, so their owners ask for them.
DEFAULTS: Final[Mapping[Topic, tuple[ChosenWay, ...]]] = {
    "security": ("inbox", "email"),
    "orders": (),
    "margin": ("inbox", "email"),
    "approvals": ("inbox", "email"),
    "kyc": ("inbox", "email"),
    "surveillance": ("inbox",),
    "house": ("inbox",),
    "evaluation": ("inbox", "email"),
    "reports": ("inbox", "email"),
    "payments": ("inbox", "email"),
}

ClockText = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["22:00"])]
ZoneText = Annotated[str, Meta(max_length=40, examples=["Europe/Rome"])]


class Quiet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From `begins` to `ends`, by the clock of `zone`, what can wait does."""

    begins: ClockText
    ends: ClockText
    zone: ZoneText = "UTC"


class Preferences(msgspec.Struct, frozen=True):
    """Of one person. `ways` has the topics that differ from the usual; `accounts` None: all of the
    tenant's, else those alone where a notice is about an account."""

    ways: dict[Topic, tuple[ChosenWay, ...]] = {}
    quiet: Quiet | None = None
    accounts: tuple[str, ...] | None = None

    def of(self, topic: Topic) -> tuple[ChosenWay, ...]:
        return self.ways.get(topic, DEFAULTS[topic])

    def wants(self, account: str) -> bool:
        return not account or self.accounts is None or account in self.accounts


USUAL: Final = Preferences()


def check(chosen: Preferences) -> None:
    """Raises `Invalid` for what nobody should choose, or no clock shows."""
    if not {"email", "push"} & set(chosen.of("security")):
        raise Invalid(
            "security needs a way that reaches you outside of this house: email or push",
            code="way_needed",
        )
    if chosen.quiet is not None:
        zone_of(chosen.quiet.zone)
        if chosen.quiet.begins == chosen.quiet.ends:
            raise Invalid("quiet hours that begin when they end are none: leave them out")


def zone_of(name: str) -> ZoneInfo:
    """Raises `Invalid`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Invalid(f"there is no time zone {name[:40]!r}: say Europe/Rome, or UTC") from error


def quiet_until(quiet: Quiet | None, now: Instant) -> Instant:
    """When quiet hours end that it is in; `now` where it is in none."""
    if quiet is None:
        return now
    here = datetime.fromtimestamp(now // SECOND_NS, UTC).astimezone(zone_of(quiet.zone))
    begins, ends = time.fromisoformat(quiet.begins), time.fromisoformat(quiet.ends)
    clock = here.time().replace(tzinfo=None)
    is_quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not is_quiet:
        return now
    day = here.date() + timedelta(days=int(clock >= ends))
    ended = datetime.combine(day, ends, here.tzinfo)
    return Instant(int(ended.timestamp()) * SECOND_NS)


def notice_name(stream: StreamId, version: int, kind: str) -> str:
    """The id of what is told of an entry: the same however often it is worked out."""
    return f"ntc_{blake2b(f'{stream}@{version}/{kind}'.encode(), digest_size=14).hexdigest()}"


def retry_at(attempts: int, now: Instant, asked_s: int = 0) -> Instant | None:
    """When what has failed so often is tried again; None: never."""
    if attempts > len(RETRY_AFTER_S):
        return None
    return Instant(now + max(RETRY_AFTER_S[attempts - 1], min(asked_s, 86_400)) * SECOND_NS)
