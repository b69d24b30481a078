"""Builders. An argument that a test gives means something to that test; the others are ordinary."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace as replaced

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import Instrument, Margin, MarginTier, Symbol, instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Ask, Fill, TradingCommand, TradingEvent
from fondaco.domain.trading.model import (
    AccountState,
    AccountType,
    ClOrdId,
    Contingency,
    Limits,
    Order,
    OrdStatus,
    OrdType,
    Rate,
    Side,
    TimeInForce,
    TradingRefs,
    TradingState,
)
from fondaco.domain.trading.refs import group, update_rates
from fondaco.domain.trading.rules import decide, evolve, initial
from fondaco.kernel.codec import Codec
from fondaco.kernel.event import CommandId, Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode

A1 = StreamId("account/A1")
BTC_USD = Symbol("BTC-USD")
ETH_USD = Symbol("ETH-USD")
USD = AssetCode("USD")
BTC = AssetCode("BTC")
ETH = AssetCode("ETH")
CODEC = Codec(TradingEvent)
STATES = msgspec.msgpack.Decoder(AccountState)
SECOND = 1_000_000_000
DAY_ENDS = Instant(1_000_000 * SECOND)

ASSETS = {
    USD: Asset(USD, 8, 2, "cash"),
    BTC: Asset(BTC, 9, 8, "crypto"),
    ETH: Asset(ETH, 9, 8, "crypto"),
}
E = TypeVar("E", bound=TradingEvent)


def btc_usd(
    *, maker: int = 0, taker: int = 0, tick: str = "0.01", lot: str = "0.001"
) -> Instrument:
    """Unless told: cents, a thousandth of a bitcoin, no fees."""
    return instrument(
        BTC_USD, ASSETS[BTC], ASSETS[USD], tick=tick, lot=lot, maker=maker, taker=taker
    )


def mark(px: str = "100.00", symbol: str = BTC_USD, *, quality: Quality = Quality.OK) -> Mark:
    ticks = int(px.replace(".", ""))
    return Mark(Symbol(symbol), ticks, quality, "test", 1, Instant(1))


def refs(
    *marks: Mark,
    btc: Instrument | None = None,
    limits: Limits | None = None,
    state: TradingState = TradingState.ACTIVE,
    states: dict[Symbol, TradingState] | None = None,
    restricted: Sequence[str] = (),
    day: int = 0,
    closes_at: Instant = DAY_ENDS,
    margins: dict[Symbol, Margin] | None = None,
    haircuts: dict[AssetCode, int] | None = None,
    more: Sequence[Instrument] = (),
) -> TradingRefs:
    """A house that trades BTC-USD and ETH-USD around 100.00 without limits, fees or margin."""
    btc = replaced(btc or btc_usd(), issuer="Foundation")
    eth = replaced(btc, symbol=ETH_USD, base=ETH)
    seen = {m.symbol: m for m in marks or (mark(), mark(symbol=ETH_USD))}
    rates = {USD: Rate(1, 1)}
    for pair in (btc, eth):
        seen_mark = seen.get(pair.symbol)
        if seen_mark is not None:
            num = seen_mark.px * pair.cost_num
            rates[pair.base] = Rate(num, pair.cost_den * pair.base_per_lot, seen_mark)
    house = TradingRefs(
        version=7,
        assets=ASSETS,
        instruments={each.symbol: each for each in (btc, eth, *more)},
        limits=limits or Limits(),
        marks=seen,
        rates=rates,
        state=state,
        states=states or {},
        restricted=frozenset(map(Symbol, restricted)),
        session_day=day,
        session_closes_at=closes_at,
        margins=margins or {},
        haircuts=haircuts or {},
    )
    group(house)
    return house


def tiers(*each: tuple[int, int, int, int]) -> Margin:
    """(notional_max, initial_ppm, maintenance_ppm, deduction) of each."""
    return Margin(tuple(MarginTier(*tier) for tier in each))


def ask(
    cl_ord_id: str = "o1",
    *,
    side: Side = Side.BUY,
    order_qty: str = "1",
    price: str = "100.00",
    symbol: str = BTC_USD,
    ord_type: OrdType = OrdType.LIMIT,
    time_in_force: TimeInForce = TimeInForce.GTC,
    stop_px: str = "",
    trail_offset: str = "",
    display_qty: str = "",
    cash_order_qty: str = "",
    expire_time: int = 0,
    post_only: bool = False,
    reduce_only: bool = False,
) -> Ask:
    return Ask(
        ClOrdId(cl_ord_id),
        Symbol(symbol),
        side,
        ord_type,
        time_in_force,
        order_qty,
        price,
        stop_px,
        trail_offset,
        display_qty,
        cash_order_qty,
        Instant(expire_time),
        post_only,
        reduce_only,
    )


def placed(what: Ask, *, at: int = 1) -> ev.PlaceOrder:
    return ev.PlaceOrder(CommandId(f"{what.cl_ord_id}#f"), Instant(at), what)


def buy(
    cl_ord_id: str = "o1", order_qty: str = "1", price: str = "100.00", *, at: int = 1
) -> ev.PlaceOrder:
    return placed(ask(cl_ord_id, order_qty=order_qty, price=price), at=at)


def sell(
    cl_ord_id: str = "o1", order_qty: str = "1", price: str = "100.00", *, at: int = 1
) -> ev.PlaceOrder:
    return placed(ask(cl_ord_id, side=Side.SELL, order_qty=order_qty, price=price), at=at)


def market(cl_ord_id: str = "o1", order_qty: str = "1", *, side: Side = Side.BUY) -> ev.PlaceOrder:
    return placed(ask(cl_ord_id, order_qty=order_qty, price="", ord_type=OrdType.MARKET, side=side))


def stop(
    cl_ord_id: str = "o1", stop_px: str = "90.00", *, side: Side = Side.SELL, order_qty: str = "1"
) -> ev.PlaceOrder:
    what = ask(
        cl_ord_id, order_qty=order_qty, price="", stop_px=stop_px, ord_type=OrdType.STOP, side=side
    )
    return placed(what)


def listed(*asks: Ask, contingency: Contingency | None = None, at: int = 1) -> ev.PlaceOrders:
    return ev.PlaceOrders(CommandId("list#f"), Instant(at), asks, contingency)


def opened(account_type: AccountType = AccountType.CASH) -> ev.OpenAccount:
    return ev.OpenAccount(CommandId("open#f"), Instant(1), "demo", "A1", account_type=account_type)


def check(*marks: Mark, at: int = 1) -> ev.CheckEquity:
    return ev.CheckEquity(CommandId("check#f"), Instant(at), marks)


def deposit(amount: str = "10000", asset: str = USD) -> ev.RecordDeposit:
    return ev.RecordDeposit(CommandId("deposit#f"), Instant(1), AssetCode(asset), amount)


def withdraw(amount: str, asset: str = USD) -> ev.Withdraw:
    return ev.Withdraw(CommandId("withdraw#f"), Instant(1), AssetCode(asset), amount)


def fill(
    number: int = 1,
    lots: int = 1_000,
    px: int = 100_00,
    *,
    nth: int = 1,
    side: Side = Side.BUY,
    symbol: str = BTC_USD,
    is_maker: bool = False,
    more: Sequence[Fill] = (),
) -> ev.RecordExecution:
    """Execution number `nth` of an order: `lots` at `px`, and `more`."""
    fills = (Fill(px, lots), *more)
    return ev.RecordExecution(
        CommandId(f"venue/PAPER/{symbol}@{nth}"),
        Instant(1),
        number,
        Symbol(symbol),
        side,
        nth,
        fills,
        is_maker,
    )


def bust(
    number: int = 1,
    ref: int = 1,
    *,
    nth: int = 9,
    to: Fill | None = None,
    side: Side = Side.BUY,
    symbol: str = BTC_USD,
    is_maker: bool = False,
) -> ev.RecordBust:
    """Execution `ref` of an order was none; or it was `to`."""
    cause = CommandId(f"venue/BRKR/{symbol}@{nth}")
    what = (number, Symbol(symbol), side, nth, ref, to, is_maker, "their error")
    return ev.RecordBust(cause, Instant(1), *what)


def cancel(number: int = 1) -> ev.CancelOrder:
    return ev.CancelOrder(CommandId("cancel#f"), Instant(1), number)


def cancel_all(symbol: str | None = None, side: Side | None = None) -> ev.CancelOrders:
    named = None if symbol is None else Symbol(symbol)
    return ev.CancelOrders(CommandId("cancel#f"), Instant(1), named, side)


def replace(
    number: int = 1,
    *,
    order_qty: str = "",
    price: str = "",
    stop_px: str = "",
    cl_ord_id: str = "o1b",
) -> ev.ReplaceOrder:
    return ev.ReplaceOrder(
        CommandId("replace#f"), Instant(1), number, ClOrdId(cl_ord_id), order_qty, price, stop_px
    )


def ended(number: int = 1, status: OrdStatus = OrdStatus.CANCELED, text: str = "") -> ev.RecordEnd:
    return ev.RecordEnd(CommandId("v@1"), Instant(1), number, status, text)


def venue_replaced(number: int = 1, *, lots: int, px: int) -> ev.RecordReplaced:
    return ev.RecordReplaced(CommandId("v@1"), Instant(1), number, lots, px)


def venue_denied(number: int = 1, text: str = "too_late") -> ev.RecordDenial:
    return ev.RecordDenial(CommandId("v@1"), Instant(1), number, text)


def stands(number: int = 1) -> ev.RecordStanding:
    return ev.RecordStanding(CommandId("v@1"), Instant(1), number)


def silent(number: int = 1) -> ev.RecordSilence:
    return ev.RecordSilence(CommandId("v@1"), Instant(1), number)


def trigger(number: int, at_mark: Mark) -> ev.TriggerOrder:
    return ev.TriggerOrder(CommandId("t"), Instant(1), number, at_mark)


def trail(number: int, at_mark: Mark) -> ev.TrailOrder:
    return ev.TrailOrder(CommandId("t"), Instant(1), number, at_mark)


def expire(at: int) -> ev.ExpireOrders:
    return ev.ExpireOrders(CommandId("expire"), Instant(at))


def close(symbol: str | None = None, *, key: str = "close") -> ev.ClosePositions:
    return ev.ClosePositions(
        CommandId(f"{key}#f"), Instant(1), None if symbol is None else Symbol(symbol)
    )


class Scenario:
    """given(…).when(…).then(…): the whole vocabulary of a rules test."""

    def __init__(self, using: TradingRefs) -> None:
        self.using = using
        self.state: AccountState = initial(A1)
        self.events: tuple[TradingEvent, ...] = ()

    def when(self, *commands: TradingCommand, using: TradingRefs | None = None) -> "Scenario":
        """Each command is a turn of its own; `events` are those of the last."""
        self.using = using or self.using
        for command in commands:
            self.events = decide(self.state, command, self.using)
            for event in self.events:
                evolve(self.state, event)
        return self

    def marked(self, *marks: Mark) -> "Scenario":
        """From here on the market is there: rates of base assets in USD move along."""
        using = replaced(self.using, marks=dict(self.using.marks), rates=dict(self.using.rates))
        for each in marks:
            using.marks[each.symbol] = each
            update_rates(using, each)
        self.using = using
        return self

    def then(self, *kinds: type[TradingEvent]) -> "Scenario":
        assert tuple(map(type, self.events)) == kinds, self.events
        return self

    def only(self, kind: type[E]) -> E:
        """The one event of this kind in the last turn."""
        [found] = [event for event in self.events if isinstance(event, kind)]
        return found

    def order(self, number: int = 1) -> Order:
        return self.state.working[number]


def on_margin(*history: TradingCommand, using: TradingRefs) -> Scenario:
    """An open margin account; with 1,000.00 USD, unless a history is given."""
    return Scenario(using).when(opened(AccountType.MARGIN), *(history or (deposit("1000"),)))


def given(*history: TradingCommand, using: TradingRefs | None = None) -> Scenario:
    """An open account; with 10,000.00 USD and 10 BTC, unless a history is given."""
    return Scenario(using or refs()).when(
        opened(), *(history or (deposit("10000"), deposit("10", BTC)))
    )
