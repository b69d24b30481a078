"""Looks at orders, executions and accounts: what the views and the journal know.

Reads accept `min_position`: the door waits until the views have reached it, so that whoever was
answered with a position can read what they wrote.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.reference.api import session_day_and_close
from fondaco.domain.reference.model import (
    EVENT,
    Instrument,
    Outcome,
    Swap,
    SymbolText,
    TradingState,
)
from fondaco.domain.trading.api.margin import TierBody, tiers_of
from fondaco.domain.trading.api.orders import (
    AccountText,
    ClOrdIdText,
    OrderIdsText,
    OrderIdText,
    RefsNow,
    stream_of_account,
)
from fondaco.domain.trading.looks import Holding, MarkLine, account_reply
from fondaco.domain.trading.model import AccountState, AccountType, OrdStatus, Side, TradingRefs
from fondaco.domain.trading.printed import daily_html
from fondaco.domain.trading.replies import (
    AccountLine,
    AccountSummary,
    DailyStatement,
    ExecutionLine,
    OrderLine,
    OrderReplyFull,
    Page,
    PositionLine,
    SentLine,
    SettlementLine,
    StateLine,
    StatementLine,
    Terms,
    WaitingFills,
)
from fondaco.domain.trading.why import Why
from fondaco.kernel.decider import Decider
from fondaco.kernel.errors import Denied, Invalid, NotFound
from fondaco.kernel.event import Instant
from fondaco.kernel.instants import EPOCH, instant_of, moment, parsed_day
from fondaco.kernel.money import format_scaled
from fondaco.ports.journal import Journal
from fondaco.runtime.history import state_at

Position = Annotated[int, Meta(ge=0, le=2**62)]
Limit = Annotated[int, Meta(ge=1, le=1_000)]
CursorText = Annotated[str, Meta(max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]
DayText = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2026-07-20"])]
StatusesText = Annotated[str, Meta(pattern=r"^[a-z_]+(,[a-z_]+)*$", examples=["new,filled"])]
AboutText = Annotated[str, Meta(min_length=1, max_length=100, examples=["demo.57"])]


class Reading(Protocol):
    """What the door gives a `Look`."""

    @property
    def source(self) -> Any: ...

    @property
    def journal(self) -> Any: ...

    @property
    def tenant(self) -> str: ...

    @property
    def accounts(self) -> frozenset[str] | None: ...

    @property
    def at(self) -> Instant: ...


class Queries(Protocol):
    """`domain/trading/store/queries.py` and its neighbours, bound by app.py."""

    def orders(
        self, conn: Any, tenant: str | None, asked: Any, *, cursor: str, limit: int
    ) -> Page[OrderLine]: ...

    def filter(self, **fields: Any) -> Any: ...

    def order(self, conn: Any, tenant: str | None, order_id: str) -> OrderReplyFull: ...

    def executions(self, conn: Any, tenant: str | None, **asked: Any) -> Page[ExecutionLine]: ...

    def accounts(
        self, conn: Any, tenant: str | None, *, cursor: str, limit: int
    ) -> Page[AccountLine]: ...

    def account(self, conn: Any, tenant: str | None, account_id: str) -> AccountSummary: ...

    def positions(self, conn: Any, tenant: str | None, account_id: str) -> list[PositionLine]: ...

    def terms(self, conn: Any) -> Terms: ...

    def statement_csv(
        self, conn: Any, tenant: str | None, account_id: str, since: int, until: int
    ) -> str: ...

    def statement(
        self, conn: Any, tenant: str | None, account_id: str, since: int, until: int
    ) -> Iterator[StatementLine]: ...

    def cash_movements(
        self, conn: Any, tenant: str | None, account_id: str, limit: int
    ) -> list[StatementLine]: ...

    def daily(
        self, conn: Any, tenant: str | None, account_id: str, day: int, today: int
    ) -> DailyStatement: ...

    def daily_csv(self, found: DailyStatement) -> str: ...

    def sent(
        self, conn: Any, tenant: str | None, account_id: str, below: int, limit: int
    ) -> list[SentLine]: ...

    def settlements(
        self, conn: Any, tenant: str | None, account_id: str, state: str, limit: int
    ) -> list[SettlementLine]: ...

    def waiting(
        self, conn: Any, account_id: str, printing: Terms
    ) -> dict[str, list[WaitingFills]]: ...

    def restrictions(
        self, conn: Any, tenant: str | None, account_id: str | None
    ) -> list[StateLine]: ...

    def is_virtual(self, conn: Any, account_id: str) -> bool: ...

    def at_work(
        self, conn: Any, account_id: str | None, symbol: str | None
    ) -> list[tuple[str, str, int]]: ...

    def positions_left(self, conn: Any, account_id: str | None, symbol: str | None) -> int: ...

    def accounts_of(self, conn: Any, tenant: str | None) -> frozenset[str]: ...

    def stands(self, conn: Any) -> int: ...

    def why(
        self, conn: Any, journal: Journal, tenant: str | None, about: str, account_id: str
    ) -> Why: ...


class OrdersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText | None = None
    cl_ord_id: ClOrdIdText | None = None
    symbol: SymbolText | None = None
    ord_status: StatusesText | None = None  # one or several, separated by commas
    side: Side | None = None
    since: Moment | None = None
    until: Moment | None = None  # not included
    cursor: CursorText = ""  # the `next` of the page before
    limit: Limit = 100
    min_position: Position = 0
    order_ids: OrderIdsText | None = None


class OrderRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    order_id: OrderIdText
    min_position: Position = 0


class ExecutionsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText | None = None
    symbol: SymbolText | None = None
    since: Moment | None = None
    until: Moment | None = None
    cursor: CursorText = ""
    limit: Limit = 100
    min_position: Position = 0
    order_ids: OrderIdsText | None = None


class AccountsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cursor: CursorText = ""
    limit: Limit = 100
    min_position: Position = 0


class AccountRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`as_of` shows the account as it was when the journal ended there, without prices."""

    account_id: AccountText
    as_of: Position | None = None
    min_position: Position = 0


class TransfersRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    account_id: AccountText
    limit: Limit = 100
    min_position: Position = 0


class StatementRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last thirty days, unless times are given."""

    account_id: AccountText
    since: Moment | None = None
    until: Moment | None = None
    min_position: Position = 0


class DayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session day, as its time zone counts days."""

    account_id: AccountText
    day: DayText
    min_position: Position = 0


class SettlementsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first."""

    account_id: AccountText
    state: Literal["traded", "settled"] | None = None
    limit: Limit = 100
    min_position: Position = 0


class SentRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first. `cursor` is the `next` of the page before."""

    account_id: AccountText
    cursor: Position = 0
    limit: Limit = 100
    min_position: Position = 0


class WhyRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`about` is an order_id, a cl_ord_id or a position of the journal."""

    about: AboutText
    account_id: AccountText | None = None
    min_position: Position = 0


class InstrumentsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class AccountReply(msgspec.Struct, frozen=True, kw_only=True):
    """`equity` is null where a holding has no price: a part of it would mislead. What an account on
    margin has gained and must cover is told by GET /accounts/{account_id}/margin."""

    account_id: str
    name: str
    account_type: AccountType
    currency: str
    trading_state: TradingState
    balances: list[Holding]
    equity: str | None
    open_orders: int
    position: int  # of the journal, as far as this shows it
    virtual: bool  # nothing in it is anybody's money: it may be reset


class PositionsReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the account is exposed to. `traded` is of the instruments it has traded, now."""

    account_id: str
    items: list[Holding]
    traded: list[PositionLine]
    equity: str | None
    position: int


class TransfersReply(msgspec.Struct, frozen=True):
    items: list[StatementLine]


class SentReply(msgspec.Struct, frozen=True):
    """`next` goes into `cursor` for what is older; null: that was all."""

    items: list[SentLine]
    next: int | None


class SettlementsReply(msgspec.Struct, frozen=True):
    items: list[SettlementLine]


class InstrumentReply(msgspec.Struct, frozen=True):
    symbol: str
    base: str
    quote: str
    tick_size: str
    lot_size: str
    maker_fee_ppm: int  # parts per million of the notional, or as `fee_formula` has it
    taker_fee_ppm: int
    mic: str
    asset_class: str
    trading_state: TradingState
    restricted: bool
    settle_days: int  # T+n: sessions until what a fill brings in has settled
    confirms: bool  # whether what a fill brings in is held until its trade is confirmed
    settle_calendar: str  # whose days of business count; "": every day
    settle: str  # the asset in which a contract settles, or that is paid with
    settle_date: str  # on which what is traded now settles, by the sessions of the house
    kind: str = "spot"
    issuer: str = ""
    margin: list[TierBody] | None = None  # by notional; null: paid for in full, not sold short
    fee_formula: str = "notional"
    allocation: str = "fifo"  # who trades first at one price, on the house's own book
    stage: str | None = None  # of an event contract; once it is settled, it has paid `payout`
    payout: str | None = None  # what one contract pays, as it was determined
    phase: str = ""  # on the house's own venue; "": it trades at another one
    swap_long_ppm: int = 0  # of a position's worth, for each session day over which it is kept
    swap_short_ppm: int = 0


class InstrumentsReply(msgspec.Struct, frozen=True):
    items: list[InstrumentReply]
    version: int  # of the reference data


class Looks:
    """Every question, bound to the tables and to the law that states are replayed by."""

    def __init__(
        self,
        refs: RefsNow,
        decider: Decider[AccountState, Any, Any, Any],
        queries: Queries,
    ) -> None:
        self._refs = refs
        self._decider = decider
        self._ask = queries

    def orders(self, ask: OrdersRequest, on: Reading) -> Page[OrderLine]:
        _confined(on, ask.account_id)
        statuses = tuple(ask.ord_status.split(",")) if ask.ord_status else ()
        for status in statuses:
            if status not in _STATUSES:
                raise Invalid(f"ord_status is {status[:40]}, must be of {', '.join(OrdStatus)}")
        asked = self._ask.filter(
            account_id=ask.account_id,
            symbol=ask.symbol,
            ord_status=statuses,
            side=ask.side.value if ask.side else None,
            cl_ord_id=ask.cl_ord_id,
            since=_instant(ask.since),
            until=_instant(ask.until),
            order_ids=ask.order_ids,
        )
        return self._ask.orders(on.source, on.tenant, asked, cursor=ask.cursor, limit=ask.limit)

    def order(self, ask: OrderRequest, on: Reading) -> OrderReplyFull:
        return self._ask.order(on.source, on.tenant, ask.order_id)

    def executions(self, ask: ExecutionsRequest, on: Reading) -> Page[ExecutionLine]:
        _confined(on, ask.account_id)
        return self._ask.executions(
            on.source,
            on.tenant,
            account_id=ask.account_id,
            symbol=ask.symbol,
            since=_instant(ask.since),
            until=_instant(ask.until),
            cursor=ask.cursor,
            limit=ask.limit,
            order_ids=ask.order_ids,
        )

    def accounts(self, ask: AccountsRequest, on: Reading) -> Page[AccountLine]:
        page = self._ask.accounts(on.source, on.tenant, cursor=ask.cursor, limit=ask.limit)
        if on.accounts is None:
            return page
        return Page([line for line in page.items if line.account_id in on.accounts], page.next)

    def account(self, ask: AccountRequest, on: Reading) -> AccountReply:
        if ask.as_of is not None:
            return self._account_at(ask.account_id, ask.as_of, on)
        found = self._ask.account(on.source, on.tenant, ask.account_id)
        line = found.account
        holdings, equity = self._valued(found)
        return AccountReply(
            account_id=line.account_id,
            name=line.name,
            account_type=AccountType(line.account_type),
            currency=line.currency,
            trading_state=TradingState(line.trading_state),
            balances=holdings,
            equity=equity,
            open_orders=found.open_orders,
            position=found.position,
            virtual=self._ask.is_virtual(on.source, ask.account_id),
        )

    def positions(self, ask: AccountRequest, on: Reading) -> PositionsReply:
        account = self.account(ask, on)
        traded = [] if ask.as_of is not None else self._traded(ask.account_id, on)
        return PositionsReply(
            account_id=account.account_id,
            items=[held for held in account.balances if held.asset != account.currency],
            traded=traded,
            equity=account.equity,
            position=account.position,
        )

    def _traded(self, account_id: str, on: Reading) -> list[PositionLine]:
        """Each with what has not settled of it."""
        found = self._ask.positions(on.source, on.tenant, account_id)
        waiting = self._ask.waiting(on.source, account_id, self._ask.terms(on.source))
        if not waiting:
            return found
        return [
            msgspec.structs.replace(line, waiting=waiting.get(line.symbol, [])) for line in found
        ]

    def _account_at(self, account_id: str, position: int, on: Reading) -> AccountReply:
        self._ask.account(on.source, on.tenant, account_id)  # or there is none of this tenant's
        stream = stream_of_account(AccountRequest(account_id))
        state, _ = state_at(on.journal, self._decider, stream, position)
        if not state.opened:
            raise NotFound(f"{account_id} was not open yet at {position}", code="unknown_account")
        found = account_reply(account_id, state, {}, self._ask.terms(on.source), position)
        return AccountReply(
            account_id=account_id,
            name=found.name,
            account_type=state.account_type,
            currency=found.currency,
            trading_state=state.trading_state,
            balances=found.balances,
            equity=found.equity,
            open_orders=found.open_orders,
            position=position,
            virtual=state.virtual,
        )

    def _valued(self, found: AccountSummary) -> tuple[list[Holding], str | None]:
        """Balances at the rates that decisions are given now."""
        refs = self._refs()
        currency = refs.assets.get(refs.currency)
        holdings: list[Holding] = []
        total: int | None = 0
        for line in found.balances:
            asset = next((a for code, a in refs.assets.items() if code == line.asset), None)
            rate = refs.rates.get(asset.code) if asset else None
            value: int | None = None
            if asset is not None and rate is not None:
                value = _units(line.balance, asset.decimals) * rate.num // rate.den
            total = None if total is None or value is None else total + value
            mark = rate.mark if rate else None
            shown = None
            if mark is not None and mark.symbol in refs.instruments:
                px = refs.instruments[mark.symbol].px_text(mark.px)
                shown = MarkLine(mark.symbol, px, mark.quality, mark.source, moment(mark.at))
            text = None
            if value is not None and currency is not None:
                text = format_scaled(value, currency.decimals)
            holdings.append(Holding(line.asset, line.balance, line.held, line.free, text, shown))
        equity = None
        if total is not None and currency is not None:
            equity = format_scaled(total, currency.decimals)
        return holdings, equity

    def transfers(self, ask: TransfersRequest, on: Reading) -> TransfersReply:
        """The newest first."""
        moved = self._ask.cash_movements(on.source, on.tenant, ask.account_id, ask.limit)
        return TransfersReply(moved)

    def sent(self, ask: SentRequest, on: Reading) -> SentReply:
        asked = (on.source, on.tenant, ask.account_id, ask.cursor, ask.limit + 1)
        found = self._ask.sent(*asked)
        items = found[: ask.limit]
        return SentReply(items, items[-1].number if len(found) > ask.limit else None)

    def settlements(self, ask: SettlementsRequest, on: Reading) -> SettlementsReply:
        asked = (on.source, on.tenant, ask.account_id, ask.state or "", ask.limit)
        return SettlementsReply(self._ask.settlements(*asked))

    def daily(self, ask: DayRequest, on: Reading) -> DailyStatement:
        day = (parsed_day(ask.day, "day") - EPOCH.date()).days
        today = self._refs().session_day
        return self._ask.daily(on.source, on.tenant, ask.account_id, day, today)

    def daily_csv(self, ask: DayRequest, on: Reading) -> str:
        return self._ask.daily_csv(self.daily(ask, on))

    def daily_html(self, ask: DayRequest, on: Reading) -> str:
        return daily_html(self.daily(ask, on))

    def statement(self, ask: StatementRequest, on: Reading) -> str:
        until = instant_of(ask.until) if ask.until else Instant(on.at + 1)
        since = instant_of(ask.since) if ask.since else Instant(until - _MONTH_NS)
        if since > until:
            raise Invalid("since is after until")
        return self._ask.statement_csv(on.source, on.tenant, ask.account_id, since, until)

    def why(self, ask: WhyRequest, on: Reading) -> Why:
        found = self._ask.why(on.source, on.journal, on.tenant, ask.about, ask.account_id or "")
        if on.accounts is not None and found.account_id not in on.accounts:
            raise NotFound(f"there is no order {ask.about}")
        return found

    def instruments(self, _: InstrumentsRequest, on: Reading) -> InstrumentsReply:
        refs, books = self._refs(), on.source.books
        return InstrumentsReply(
            [_instrument_line(each, refs, books) for each in refs.instruments.values()],
            refs.version,
        )


def settle_date(each: Instrument, refs: TradingRefs) -> str:
    """ISO 8601, of the session's local day."""
    day = refs.session_day
    if each.settle_days:
        by = refs.settles_by.get(each.calendar, refs.settles_at)[: each.settle_days]
        day = session_day_and_close(by[-1], refs.session)[0]
    return (EPOCH.date() + timedelta(days=day)).isoformat()


def _instrument_line(
    each: Instrument, refs: TradingRefs, books: Mapping[str, Any]
) -> InstrumentReply:
    stage, payout, swap = None, None, refs.swaps.get(each.symbol, Swap(0, 0))
    if each.asset_class == EVENT:
        outcome = refs.contracts.get(each.symbol, Outcome())
        stage = outcome.stage.value
        payout = each.px_text(outcome.payout) if outcome.payout >= 0 else None
    return InstrumentReply(
        symbol=each.symbol,
        base=each.base,
        quote=each.quote,
        tick_size=each.px_text(1),
        lot_size=each.qty_text(1),
        maker_fee_ppm=each.maker_fee_ppm,
        taker_fee_ppm=each.taker_fee_ppm,
        mic=each.mic,
        asset_class=each.asset_class,
        trading_state=refs.states.get(each.symbol, TradingState.ACTIVE),
        restricted=each.symbol in refs.restricted,
        settle_days=each.settle_days,
        confirms=each.confirms,
        settle_calendar=each.calendar,
        settle=each.settle or each.quote,
        settle_date=settle_date(each, refs),
        kind=each.kind.value,
        issuer=each.issuer,
        margin=tiers_of(each, refs),
        fee_formula=each.fee_formula.value,
        allocation=each.allocation.value,
        stage=stage,
        payout=payout,
        phase=books[each.symbol].phase if each.symbol in books else "",
        swap_long_ppm=swap.long_ppm,
        swap_short_ppm=swap.short_ppm,
    )


def _confined(on: Reading, account_id: str | None) -> None:
    """A caller with some accounts only must say which; the door has checked what was said."""
    if account_id is None and on.accounts is not None:
        raise Denied("your key is confined to some accounts: name one of them as account_id")


def _instant(moment: datetime | None) -> Instant | None:
    return None if moment is None else instant_of(moment)


def _units(text: str, decimals: int) -> int:
    """Back to ledger units, from text that we made."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * int(whole + fraction.ljust(decimals, "0"))


_MONTH_NS: Final = 30 * 86_400 * 1_000_000_000
_STATUSES: Final[Mapping[str, OrdStatus]] = {status.value: status for status in OrdStatus}
