"""What can be asked of how an account has traded."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Protocol
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.performance.journal import journal_of as journal_of
from fondaco.domain.performance.model import Method
from fondaco.domain.performance.projection import Projection as Projection
from fondaco.domain.performance.replies import StatisticsReply as StatisticsReply
from fondaco.domain.performance.replies import TallyLine as TallyLine
from fondaco.domain.performance.replies import TradedReply as TradedReply
from fondaco.domain.performance.replies import TripsReply
from fondaco.domain.performance.sheet import Asked as Asked
from fondaco.domain.performance.sheet import BarsOf, Intervals
from fondaco.domain.performance.sheet import Sheet as Sheet
from fondaco.domain.performance.validation import StrategyValidation as StrategyValidation
from fondaco.domain.trading.api.orders import AccountText, account_of_ask
from fondaco.domain.trading.model import AccountHistory
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import instant_of
from fondaco.kernel.money import AssetCode
from fondaco.kernel.operation import Look, Operation

Position = Annotated[int, Meta(ge=0, le=2**62)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
Moment = Annotated[datetime, Meta(tz=True)]
ZoneText = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+/-]{1,64}$", examples=["Europe/Prague"])]
CurrencyText = Annotated[str, Meta(pattern=r"^[A-Z0-9]{1,16}$", examples=["USD"])]


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Any: ...
    @property
    def tenant(self) -> str: ...
    @property
    def at(self) -> Instant: ...


class Queries(Protocol):
    """Bound by app: what the views and the ledger have of an account."""

    def history(self, conn: Any, tenant: str | None, account_id: str) -> AccountHistory: ...

    def ledger(self, conn: Any, account_id: str) -> Mapping[AssetCode, int]: ...


class StatisticsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of all trades, unless times bound when they ended. `currency`: the account's, or else that in
    which it has traded most; `time_zone` is that of days, hours and weekdays."""

    account_id: AccountText
    method: Method = Method.AVERAGE
    currency: CurrencyText | None = None
    time_zone: ZoneText = "UTC"
    since: Moment | None = None
    until: Moment | None = None  # not included
    min_position: Position = 0


class TripsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first. `cursor` is the `next` of the page before."""

    account_id: AccountText
    method: Method = Method.AVERAGE
    cursor: Position = 0
    limit: Limit = 100
    min_position: Position = 0


class JournalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText
    min_position: Position = 0


class Sheets:
    """Works out statistics from what is known of an account when it is asked."""

    def __init__(self, queries: Queries, lengths: Mapping[str, int], bars: BarsOf) -> None:
        self._ask = queries
        self._lengths = lengths
        self._bars = bars

    def sheet(
        self, conn: Any, tenant: str | None, account_id: str, asked: Asked, now: int
    ) -> Sheet:
        """Raises `NotFound`, also for another tenant's, and `Invalid` for a time zone or a currency
        that there is not."""
        if asked.zone not in _zones():
            raise Invalid(f"time_zone is {asked.zone}, must be an IANA name as Europe/Prague is")
        history = self._ask.history(conn, tenant, account_id)
        if asked.currency and asked.currency not in history.assets:
            known = ", ".join(sorted(history.assets))
            raise Invalid(f"currency is {asked.currency}, must be one of {known}")
        ledger = self._ask.ledger(conn, account_id)
        return Sheet(history, ledger, Intervals(self._lengths, self._bars), asked, now)

    def statistics(self, ask: StatisticsRequest, on: Reading) -> StatisticsReply:
        asked = Asked(
            method=ask.method,
            currency=ask.currency or "",
            zone=ask.time_zone,
            since=instant_of(ask.since) if ask.since else 0,
            until=instant_of(ask.until) if ask.until else 2**63 - 1,
        )
        if asked.since > asked.until:
            raise Invalid("since is after until")
        return self.sheet(on.source, on.tenant, ask.account_id, asked, on.at).reply()

    def trips(self, ask: TripsRequest, on: Reading) -> TripsReply:
        asked = Asked(method=ask.method)
        sheet = self.sheet(on.source, on.tenant, ask.account_id, asked, on.at)
        numbered = list(enumerate(sheet.book.trips, 1))[::-1]  # one entry may end several
        older = [each for each in numbered if not ask.cursor or each[0] < ask.cursor]
        page = older[: ask.limit]
        return TripsReply(
            account_id=ask.account_id,
            method=ask.method.value,
            items=[sheet.trip_line(trip) for _, trip in page],
            next=page[-1][0] if len(older) > ask.limit else None,
            position=sheet.history.position,
        )

    def journal(self, ask: JournalRequest, on: Reading) -> TradedReply:
        return journal_of(self.sheet(on.source, on.tenant, ask.account_id, Asked(), on.at))


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def operations(sheets: Sheets) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="performance.statistics",
            summary="How an account has traded: win rate, expectancy, drawdown, discipline, days.",
            method="GET",
            path="/accounts/{account_id}/statistics",
            request=StatisticsRequest,
            reply=StatisticsReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=account_of_ask,
            source="store",
            answer=sheets.statistics,
        ),
        Look(
            name="performance.trips",
            summary="An account's round trips, newest first, with how far each went both ways.",
            method="GET",
            path="/accounts/{account_id}/trips",
            request=TripsRequest,
            reply=TripsReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=account_of_ask,
            source="store",
            answer=sheets.trips,
        ),
        Look(
            name="performance.journal",
            summary="An account's round trips as CSV, as simulations draw days from them.",
            method="GET",
            path="/accounts/{account_id}/journal",
            request=JournalRequest,
            reply=TradedReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=account_of_ask,
            source="store",
            answer=sheets.journal,
        ),
    )
