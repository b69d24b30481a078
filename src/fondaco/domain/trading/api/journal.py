"""Looks at the journal: its tail with search, where a time is in it, an account as of a position.

Every entry is told with its id, its cause, what it all began with (its correlation), and both
times: when it was recorded, and when what it tells of occurred.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.ledger.model import PREFIX as BOOKS
from fondaco.domain.ledger.model import book_of
from fondaco.domain.market.model import Mark
from fondaco.domain.trading.api.orders import AccountText, account_of_ask
from fondaco.domain.trading.api.views import Limit, Position, Queries, Reading
from fondaco.domain.trading.looks import AccountReply as Balances
from fondaco.domain.trading.looks import account_reply
from fondaco.domain.trading.model import (
    PREFIX,
    AccountId,
    AccountState,
    AccountType,
    Order,
    TradingState,
    account_of,
    account_stream,
    order_id,
)
from fondaco.domain.trading.replies import Terms
from fondaco.kernel.decider import Decider
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.event import Entry, Instant, StreamId
from fondaco.kernel.instants import instant_of, moment
from fondaco.kernel.operation import Look, Operation
from fondaco.runtime.history import (
    Origins,
    entry_at,
    event_id,
    moments,
    position_at,
    state_at,
    tail,
    tail_before,
)

SCAN_MAX: Final = 5_000  # entries that one search looks at
WAIT_MAX_MS: Final = 20_000
POINTS_MAX: Final = 400
VENUES: Final = "venue/"

FilterText = Annotated[str, Meta(max_length=128)]
Owner = Callable[[str], str | None]


class JournalRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stream` and `kind` are beginnings, `cause` a part of the cause or a whole correlation id,
    `text` a part of what was written. With `before` the newest below it, else those behind `after`;
    `wait_ms` lets an empty answer wait for the next entry."""

    after: Position = 0
    limit: Limit = 100
    before: Position | None = None
    stream: FilterText = ""
    kind: FilterText = ""
    cause: FilterText = ""
    text: FilterText = ""
    wait_ms: Annotated[int, Meta(ge=0, le=WAIT_MAX_MS)] = 0


class EntryReply(msgspec.Struct, frozen=True, kw_only=True):
    """Times are nanoseconds since 1970, UTC, as text: too many digits for a number in JSON. `at` is
    when it was recorded. `occurred_at` is when what it tells of happened: of an account's entry
    that a venue caused, the venue's own time; of one that a price caused, that of the price."""

    position: int
    stream: str
    version: int
    event_id: str
    kind: str
    at: str
    occurred_at: str
    caused_by: str
    correlation_id: str
    refs_version: int
    event: Any


class JournalReply(msgspec.Struct, frozen=True, kw_only=True):
    """Oldest first. `next` goes into `after`, `previous` into `before`; entries of other tenants
    are left out, so positions have gaps. A search looks at a bounded number of entries at once:
    from position `previous` to `next`, whether or not something was found there."""

    items: list[EntryReply]
    next: int
    previous: int
    head: int


class JournalAtRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time: Annotated[datetime, Meta(tz=True, examples=["2026-11-20T16:00:00Z"])]


class JournalAtReply(msgspec.Struct, frozen=True, kw_only=True):
    """The last position recorded at `time` or before; 0 and null times before the first."""

    position: int
    at: str | None
    next_at: str | None  # of the entry behind it
    head: int


class TimelineRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`first` and `last` are positions; without `last` it is the journal's end."""

    first: Position = 1
    last: Position | None = None
    points: Annotated[int, Meta(ge=2, le=POINTS_MAX)] = 120


class TimelinePoint(msgspec.Struct, frozen=True, array_like=True):
    position: int
    at_ms: int


class TimelineReply(msgspec.Struct, frozen=True):
    """Positions evenly apart, each with the time at which it was recorded: how many entries fall on
    a second is the distance of two positions over that of their times."""

    points: list[TimelinePoint]
    head: int


class AsOfRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As the account was when the journal ended at `as_of`."""

    account_id: AccountText
    as_of: Position


class HeldThen(msgspec.Struct, frozen=True):
    asset: str
    balance: str
    held: str
    free: str


class PositionThen(msgspec.Struct, frozen=True):
    """Of a margin account: what it had traded of an instrument, and what that had cost."""

    symbol: str
    qty: str
    cost: str
    currency: str


class OrderThen(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    order_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    time_in_force: str
    ord_status: str
    order_qty: str
    cum_qty: str
    leaves_qty: str
    created_at: str
    price: str | None = None
    stop_px: str | None = None


class AsOfReply(msgspec.Struct, frozen=True, kw_only=True):
    """What was true for the account's own rules then. No prices: those are tape. `version` is of
    its stream, and `changed_at` the time of the entry that it last changed with."""

    account_id: str
    position: int
    at: str | None  # of the entry at `position`
    version: int
    changed_at: str
    name: str
    account_type: AccountType
    currency: str
    trading_state: TradingState
    order_count: int
    balances: list[HeldThen]
    positions: list[PositionThen]
    orders: list[OrderThen]


class Pages:
    """The journal a page at a time."""

    def __init__(self, owner: Owner) -> None:
        """`owner` says whose an account is. The house's own streams and the venues' are everybody's
        who may read the journal at all; accounts and books are their tenant's."""
        self._owner = owner
        self._origins: Origins | None = None

    def answer(self, ask: JournalRequest, on: Reading) -> JournalReply:
        origins = self._origins
        if origins is None or origins.journal is not on.source:
            origins = self._origins = Origins(on.source)
        wanted = _wanted(ask, origins)

        def shows(entry: Entry) -> bool:
            return _may_read(entry.stream, on, self._owner) and wanted(entry)

        scan = SCAN_MAX if ask.stream or ask.kind or ask.cause or ask.text else 0
        if ask.before is None:
            found = tail(on.source, ask.after, ask.limit, shows, scan=scan)
        else:
            found = tail_before(on.source, ask.before, ask.limit, shows, scan=scan)
        items = [_reply(entry, row, origins) for entry, row in found.rows]
        return JournalReply(
            items=items, next=found.last, previous=found.first, head=on.source.head()
        )


def _may_read(stream: StreamId, on: Reading, owner: Owner) -> bool:
    if stream.startswith(BOOKS):
        return on.accounts is None and book_of(stream)[0] == on.tenant
    if not stream.startswith(PREFIX):
        return on.accounts is None
    account = account_of(stream)
    return owner(account) == on.tenant and (on.accounts is None or account in on.accounts)


def _wanted(ask: JournalRequest, origins: Origins) -> Callable[[Entry], bool]:
    text = ask.text.casefold()

    def follows(entry: Entry) -> bool:
        if ask.cause in entry.caused_by:
            return True
        return ":" in ask.cause and origins.correlation(entry) == ask.cause

    def wanted(entry: Entry) -> bool:
        if not entry.stream.startswith(ask.stream):
            return False
        if ask.kind and not str(type(entry.event).__struct_config__.tag).startswith(ask.kind):
            return False
        if ask.cause and not follows(entry):
            return False
        return not text or text in _written(entry).casefold()

    return wanted


def _written(entry: Entry) -> str:
    return f"{entry.stream} {entry.caused_by} " + msgspec.json.encode(entry.event).decode()


def _reply(entry: Entry, row: dict[str, Any], origins: Origins) -> EntryReply:
    return EntryReply(
        event_id=event_id(entry),
        occurred_at=str(_occurred_at(entry, origins)),
        correlation_id=origins.correlation(entry),
        **row,
    )


def _occurred_at(entry: Entry, origins: Origins) -> Instant:
    mark = getattr(entry.event, "mark", None)
    if isinstance(mark, Mark):
        return mark.at
    if entry.stream.startswith(PREFIX):
        cause = origins.cause(entry.caused_by)
        if cause is not None and cause.stream.startswith(VENUES):
            return cause.at
    return entry.at


def position_of(ask: JournalAtRequest, on: Reading) -> JournalAtReply:
    found = position_at(on.source, instant_of(ask.time))
    here, behind = entry_at(on.source, found), entry_at(on.source, found + 1)
    return JournalAtReply(
        position=found,
        at=None if here is None else str(here.at),
        next_at=None if behind is None else str(behind.at),
        head=on.source.head(),
    )


def timeline(ask: TimelineRequest, on: Reading) -> TimelineReply:
    head = on.source.head()
    last = head if ask.last is None else min(ask.last, head)
    found = moments(on.source, max(ask.first, 1), last, ask.points)
    points = [TimelinePoint(position, at // 1_000_000) for position, at in found]
    return TimelineReply(points, head)


class AsOf:
    """An account as its own stream tells it, replayed to a position."""

    def __init__(self, decider: Decider[AccountState, Any, Any, Any], queries: Queries) -> None:
        self._decider = decider
        self._ask = queries

    def answer(self, ask: AsOfRequest, on: Reading) -> AsOfReply:
        """Raises `NotFound` for an account that was not open yet, or is nobody's of this tenant."""
        self._ask.account(on.source, on.tenant, ask.account_id)
        head = on.journal.head()
        if ask.as_of > head:
            raise Invalid(f"as_of is {ask.as_of}, must be a position of the journal: 0 to {head}")
        stream = account_stream(AccountId(ask.account_id))
        state, version = state_at(on.journal, self._decider, stream, ask.as_of)
        if not state.opened:
            raise NotFound(
                f"{ask.account_id} was not open yet at {ask.as_of}", code="unknown_account"
            )
        terms = self._ask.terms(on.source)
        [last] = on.journal.read(stream, version - 1, 1)
        here = entry_at(on.journal, ask.as_of)
        shown = account_reply(ask.account_id, state, {}, terms, ask.as_of)
        return AsOfReply(
            account_id=ask.account_id,
            position=ask.as_of,
            at=None if here is None else moment(here.at),
            version=version,
            changed_at=moment(last.at),
            name=state.name,
            account_type=state.account_type,
            currency=state.currency,
            trading_state=state.trading_state,
            order_count=state.order_count,
            balances=_held(shown),
            positions=_positions(state, terms),
            orders=[_order(ask.account_id, each, terms) for each in state.working.values()],
        )


def _held(shown: Balances) -> list[HeldThen]:
    return [HeldThen(each.asset, each.balance, each.held, each.free) for each in shown.balances]


def _positions(state: AccountState, terms: Terms) -> list[PositionThen]:
    found: list[PositionThen] = []
    for symbol, each in sorted(state.positions.items()):
        of = terms.instrument(symbol)
        qty, cost = of.qty_text(each.lots), terms.amount(each.cost, of.quote)
        found.append(PositionThen(symbol, qty, cost, of.quote))
    return found


def _order(account_id: str, order: Order, terms: Terms) -> OrderThen:
    of = terms.instrument(order.symbol)
    return OrderThen(
        order_id=order_id(AccountId(account_id), order.number),
        cl_ord_id=order.cl_ord_id,
        symbol=order.symbol,
        side=order.side.value,
        ord_type=order.ord_type.value,
        time_in_force=order.time_in_force.value,
        ord_status=order.ord_status.value,
        order_qty=of.qty_text(order.lots),
        cum_qty=of.qty_text(order.cum_lots),
        leaves_qty=of.qty_text(order.leaves_lots),
        created_at=moment(order.transact_time),
        price=of.px_text(order.px) if order.px else None,
        stop_px=of.px_text(order.stop_px) if order.stop_px else None,
    )


def looks(
    decider: Decider[AccountState, Any, Any, Any], queries: Queries, owner: Owner
) -> tuple[Operation[Any, Any], ...]:
    return (
        Look(
            name="journal.entries",
            summary="Entries of the journal in order, searched and waited for, newest or oldest.",
            method="GET",
            path="/journal",
            request=JournalRequest,
            reply=JournalReply,
            scope=Scope.JOURNAL_READ,
            source="journal",
            answer=Pages(owner).answer,
        ),
        Look(
            name="journal.at",
            summary="The position at which the journal ended at a time.",
            method="GET",
            path="/journal/at",
            request=JournalAtRequest,
            reply=JournalAtReply,
            scope=Scope.JOURNAL_READ,
            source="journal",
            answer=position_of,
        ),
        Look(
            name="journal.timeline",
            summary="Positions of the journal with their times: what a time slider is drawn from.",
            method="GET",
            path="/journal/timeline",
            request=TimelineRequest,
            reply=TimelineReply,
            scope=Scope.JOURNAL_READ,
            source="journal",
            answer=timeline,
        ),
        Look(
            name="trading.account_as_of",
            summary="An account as of a position: balances, positions and working orders.",
            method="GET",
            path="/accounts/{account_id}/as-of/{as_of}",
            request=AsOfRequest,
            reply=AsOfReply,
            scope=Scope.ACCOUNTS_READ,
            errors=(NotFound,),
            account=account_of_ask,
            source="store",
            answer=AsOf(decider, queries).answer,
        ),
    )
