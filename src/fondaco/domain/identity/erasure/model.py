"""What a plan to forget somebody says. Pure."""

from typing import Final, Literal, TypeAlias

import msgspec

YEAR_NS: Final = 365 * 86_400 * 1_000_000_000 + 86_400 * 1_000_000_000 // 4

ORDERS_KEPT: Final = (
    "orders, executions and money are records of the business, which 17 CFR 240.17a-4, MiFID II "
    "art. 16(7) and the house's own rule keep; they name an account and a user's chosen name, and "
    "no person"
)
FIX_KEPT: Final = (
    "what a counterparty has written is a record of the business; it goes with its archive, by "
    "the setting retention_fix_archive_days"
)


class Place(msgspec.Struct, frozen=True):
    """What lies in one place. `until` is nanoseconds since 1970, "" where nothing is kept."""

    where: str
    what: str
    count: int
    fate: Literal["destroyed", "unreadable", "kept"]
    why: str = ""
    until: str = ""


State: TypeAlias = Literal["possible", "held", "unfinished", "done"]


class ErasurePlan(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is "possible", "held" (see `hold`), "done", or "unfinished": the rows are gone, and
    the key follows."""

    user: str
    state: State
    hold: str = ""  # why nothing is destroyed, and until when
    places: list[Place]
