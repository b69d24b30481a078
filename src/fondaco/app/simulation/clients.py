"""Whoever asks something of the house: traders who share accounts, a bookkeeper, and the house's
own people.

They do what clients do: ask again when no answer came, give up, ask twice at once, use an id twice
for different things, change and cancel what may be gone by then, and sometimes talk nonsense.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from fondaco.app.demo import FON, OWN
from fondaco.domain.ledger.events import (
    CreateTransfers,
    Leg,
    OpenBookAccount,
    PostPending,
    Transfer,
    TransferPending,
    VoidPending,
)
from fondaco.domain.ledger.model import BookAccount, book_stream
from fondaco.domain.market.listings import USD
from fondaco.domain.reference.events import (
    Kill,
    ListInstrument,
    MoveContract,
    ReferenceCommand,
    RestrictInstruments,
    SetFees,
    SetHouseLimits,
    SetHouseState,
    SetMargin,
    SetSession,
    SetSwap,
    Unkill,
)
from fondaco.domain.reference.model import (
    EVENT,
    HOUSE_STREAM,
    FeeFormula,
    Instrument,
    Limits,
    Margin,
    MarginTier,
    Session,
    Stage,
    Swap,
    Symbol,
    TradingState,
    instrument,
)
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.events import Ask
from fondaco.domain.trading.model import (
    AccountId,
    AccountType,
    ClOrdId,
    Contingency,
    OrdType,
    Side,
    TimeInForce,
    account_stream,
)
from fondaco.domain.venues.crossing.events import SetPhase, SetSchedule
from fondaco.domain.venues.crossing.model import MIC, Phase, Schedule, Step
from fondaco.domain.venues.model import venue_stream
from fondaco.kernel.errors import FondacoError
from fondaco.kernel.event import (
    Command,
    CommandId,
    Entry,
    Instant,
    StreamId,
    fingerprint,
    request_id,
)
from fondaco.kernel.money import Asset, AssetCode
from fondaco.kernel.seeded import Seeded

# None: no answer came, and nobody knows whether one was on its way.
Told: TypeAlias = tuple[Entry, ...] | FondacoError | None
AskHouse: TypeAlias = Callable[[StreamId, Command], Awaitable[Told]]

ON_MARGIN: Final = "mia"
ACCOUNTS: Final = ("ada", "bob", "eve", ON_MARGIN)
NO_TIME: Final = Instant(0)
BOOK: Final = book_stream("simulated", "main")
THINK_MS: Final = 300
ASKED_AGAIN_MAX: Final = 6
DEPOSITS: Final = {
    "USD": "2000000", "BTC": "20", "ETH": "400", "SOL": "5000", "FON": "20000", "RAIN": "500",
}  # fmt: skip
# An event contract that trades on the house's own book, and pays within a run.
RAIN: Final = Asset(AssetCode("RAIN"), 2, 0, EVENT)
YES: Final = msgspec.structs.replace(
    instrument(
        "RAIN-YES", RAIN, USD, tick="0.01", lot="1", taker=70_000, fee_formula=FeeFormula.KALSHI
    ),
    mic=MIC,
    reference_px=50,
)
OWN_BOOKS: Final = (OWN, YES)
LISTS: Final = tuple(
    ListInstrument(request_id(f"!first/{terms.symbol}", "x"), NO_TIME, terms, base, USD, by="sim")
    for terms, base in ((OWN, FON), (YES, RAIN))
)
OWN_STREAM, YES_STREAM = (venue_stream(each.symbol, MIC) for each in OWN_BOOKS)
BY_HAND: Final = (
    Phase.OPENING_AUCTION, Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION, Phase.PRE_OPEN,
    Phase.HALTED, Phase.CLOSED,
)  # fmt: skip
ON_MARGIN_USD: Final = "5000"  # so little that what it takes on may become too much
SECOND_NS: Final = 1_000_000_000
DEAR_SYMBOL: Final = Symbol("BTC-USD")
ON_MARGIN_SYMBOLS: Final = (DEAR_SYMBOL, Symbol("ETH-USD"), OWN.symbol)
RATES: Final = Margin((MarginTier(0, initial_ppm=100_000, maintenance_ppm=50_000),))
# Clocks show 22:14 soon after a run has begun: see `world.BEGAN_NS`.
NIGHT: Final = Session("UTC", 22 * 60 + 14)
SWAP: Final = Swap(300, -200)
PHASES: Final = tuple(
    Schedule(
        "UTC", "", (Step(22 * 60, before), Step(22 * 60 + 14, after), Step(1_439, Phase.CLOSED))
    )
    for before, after in (
        (Phase.OPENING_AUCTION, Phase.CONTINUOUS),
        (Phase.CONTINUOUS, Phase.CLOSING_AUCTION),
        (Phase.PRE_OPEN, Phase.OPENING_AUCTION),
    )
)
DEAR: Final = Margin((MarginTier(0, initial_ppm=1_000_000, maintenance_ppm=990_000),))


class Market:
    """What clients see of the market: it goes on while the house is away."""

    def __init__(self, instruments: Sequence[Instrument], anchors: dict[Symbol, int]) -> None:
        self.instruments = list(instruments)
        self.px = dict(anchors)  # ticks, as last seen
        self.now = NO_TIME
        self.gathers = False  # whether there is an auction, which all come to


class Client:
    """Asks for one thing after the other until it is told to stop."""

    def __init__(self, name: str, dice: Seeded, ask: AskHouse, market: Market) -> None:
        self.name = name
        self.dice = dice
        self.market = market
        self.goes_on = True
        self._ask = ask
        self._asked = 0
        self._before: list[tuple[StreamId, Command]] = []

    def opening(self) -> list[tuple[StreamId, Command]]:
        """What must be said before anything else."""
        return []

    async def run(self) -> None:
        for stream, command in self.opening():
            while self.goes_on:
                told = await self.until_told(stream, command)
                if isinstance(told, tuple):
                    break
        while self.goes_on:
            await asyncio.sleep(self.dice.below(THINK_MS) / 1_000)
            if self.goes_on:
                await self._one()

    async def _one(self) -> None:
        dice = self.dice
        if self._before and dice.chance(1, 25):  # long after
            await self._ask(*dice.pick(self._before))
            return
        stream, command = self.wants()
        self._before = [*self._before[-7:], (stream, command)]
        if dice.chance(1, 30):  # an impatient one
            twice = (self.until_told(stream, command), self.until_told(stream, command))
            self.learn((await asyncio.gather(*twice))[0])
            return
        self.learn(await self.until_told(stream, command))
        if dice.chance(1, 30):
            other = self.other_content(command)
            if other is not None:
                await self._ask(stream, other)

    async def until_told(self, stream: StreamId, command: Command) -> Told:
        """Ask again while there is no answer, or one that says so."""
        told: Told = None
        for _ in range(ASKED_AGAIN_MAX):
            told = await self._ask(stream, command)
            if told is not None and not (isinstance(told, FondacoError) and told.retryable):
                return told
            if self.dice.chance(1, 8):
                return told
            await asyncio.sleep(self.dice.between(20, 400) / 1_000)
        return told

    def key(self) -> str:
        self._asked += 1
        return f"{self.name}-{self._asked}"

    def wants(self) -> tuple[StreamId, Command]:
        raise LookupError(self.name)

    def learn(self, told: Told) -> None:
        """What an answer says that later wishes need."""

    def other_content(self, command: Command) -> Command | None:
        """The same id for something else."""
        return None


class Trader(Client):
    def __init__(
        self, name: str, account: str, dice: Seeded, ask: AskHouse, market: Market
    ) -> None:
        super().__init__(name, dice, ask, market)
        self.stream = account_stream(AccountId(account))
        self.is_on_margin = account == ON_MARGIN
        self._numbers: list[int] = []  # of orders that may still work

    def wants(self) -> tuple[StreamId, Command]:
        dice = self.dice
        kind = dice.below(100)
        command: Command
        if kind < 55 or not self._numbers:
            command = self._placed(self._order())
        elif kind < 62:
            command = self._list()
        elif kind < 74:
            number = dice.pick(self._numbers)
            command = ev.CancelOrder(self._own("cancel"), NO_TIME, number)
        elif kind < 84:
            command = self._replace()
        elif kind < 86:
            side = dice.pick((None, *Side))
            command = ev.CancelOrders(self._own("all"), NO_TIME, None, side)
        elif kind < 88:
            command = ev.ClosePositions(self._own("close"), NO_TIME, self._instrument().symbol)
        else:
            command = self._money(kind)
        return self.stream, command

    def _money(self, kind: int) -> Command:
        dice, own = self.dice, self._own("money")
        if kind < 92:
            asset = AssetCode(dice.pick(tuple(DEPOSITS)))
            return ev.RecordDeposit(
                own, NO_TIME, asset, dice.pick(("0.5", "10", "-1", "0.00000001"))
            )
        if kind < 94:
            to = dice.pick((*ACCOUNTS, "nobody"))
            asset, amount = (
                AssetCode(dice.pick(tuple(DEPOSITS))),
                dice.pick(("1", "2.5", "1000000")),
            )
            return ev.SendTransfer(own, NO_TIME, account_stream(AccountId(to)), asset, amount)
        if kind < 96:
            asset = AssetCode(dice.pick(tuple(DEPOSITS)))
            return ev.Withdraw(own, NO_TIME, asset, dice.pick(("1", "3", "100000000")))
        if kind < 98:
            limits = Limits(orders_max=5, rate_window_ms=500) if dice.chance(1, 3) else None
            return ev.SetLimits(own, NO_TIME, limits, "simulated")
        state = dice.pick((*TradingState, TradingState.ACTIVE, TradingState.ACTIVE))
        return ev.SetTradingState(own, NO_TIME, state, "simulated")

    def opening(self) -> list[tuple[StreamId, Command]]:
        """Accounts have more than one owner: the second one's requests are the same."""
        kind = AccountType.MARGIN if self.is_on_margin else AccountType.CASH
        first = {"USD": ON_MARGIN_USD} if self.is_on_margin else DEPOSITS
        own = request_id("!open", "first")
        opens = ev.OpenAccount(own, NO_TIME, "simulated", "Simulated", account_type=kind)
        deposits = [
            ev.RecordDeposit(request_id(f"!first/{asset}", units), NO_TIME, AssetCode(asset), units)
            for asset, units in first.items()
        ]
        return [(self.stream, opens), *((self.stream, each) for each in deposits)]

    def learn(self, told: Told) -> None:
        if isinstance(told, tuple):
            for entry in told:
                if isinstance(entry.event, ev.OrderAccepted):
                    self._numbers = [*self._numbers[-9:], entry.event.order.number]

    def other_content(self, command: Command) -> Command | None:
        if not isinstance(command, ev.PlaceOrder):
            return None
        ask = msgspec.structs.replace(command.ask, order_qty="0.0123")
        return self._placed(ask)

    # --- Orders -----------------------------------------------------------------------------------

    def _own(self, what: str) -> CommandId:
        return request_id(f"!{what}-{self.key()}", "simulated")

    def _placed(self, ask: Ask) -> Command:
        return ev.PlaceOrder(request_id(ask.cl_ord_id, fingerprint(ask)), NO_TIME, ask)

    def _instrument(self) -> Instrument:
        """Who is on margin keeps to the one whose rates become dear; and what trades here needs
        more orders than the others, since they have nobody but each other to meet."""
        dice, instruments = self.dice, self.market.instruments
        if self.is_on_margin and dice.chance(1, 2):
            return next(each for each in instruments if each.symbol == DEAR_SYMBOL)
        return OWN if dice.chance(1, 2 if self.market.gathers else 5) else dice.pick(instruments)

    def _px(self, instrument: Instrument, side: Side, ppm: int) -> str:
        """So many millionths, and a tick at least, better for whoever takes it; worse below zero.
        The market moves by some ten at a time; our own by orders alone, and in coarse ticks."""
        px = self.market.px[instrument.symbol]
        ppm = ppm * 10 if instrument in OWN_BOOKS else ppm
        away = max(px * abs(ppm) // 1_000_000, 1) * (1 if ppm > 0 else -1)
        return instrument.px_text(max(px + (away if side is Side.BUY else -away), 1))

    def _qty(self, instrument: Instrument) -> str:
        """Worth some 100 to 20,000 of the quote asset; now and then far too much."""
        px = self.market.px[instrument.symbol]
        worth = 5_000_000 if self.dice.chance(1, 40) else self.dice.between(100, 20_000)
        lots = worth * instrument.cost_den * 10**8 // (px * instrument.cost_num)
        return instrument.qty_text(max(lots, 1))

    def _order(self) -> Ask:
        dice, instrument = self.dice, self._instrument()
        side = dice.pick(tuple(Side))
        terms: dict[str, Any] = {"order_qty": self._qty(instrument)}
        ord_type, force = OrdType.LIMIT, TimeInForce.GTC
        kind = dice.below(11 if instrument is OWN and dice.chance(2, 3) else 20)
        if kind < 7:  # rests, and meets who came before where there are none but clients
            ppm = -dice.between(1, 60) if instrument is not OWN else dice.between(-30, 30)
            terms["price"] = self._px(instrument, side, ppm)
            force = dice.pick((TimeInForce.GTC, TimeInForce.DAY))
        elif kind < 11:  # takes
            terms["price"] = self._px(instrument, side, dice.between(1, 1_000))
            force = dice.pick((TimeInForce.IOC, TimeInForce.FOK, TimeInForce.GTC))
        elif kind < 13:
            ord_type, force = OrdType.MARKET, TimeInForce.IOC
            if dice.chance(1, 2):
                terms = {"cash_order_qty": f"{dice.between(10, 5_000)}.33"}
        elif kind < 16:
            ord_type, more = self._stop(instrument, side)
            terms |= more
        elif kind < 18:
            force = TimeInForce.GTD
            expires = self.market.now + dice.between(1, 4_000) * SECOND_NS // 1_000
            terms |= {"price": self._px(instrument, side, -40), "expire_time": Instant(expires)}
        elif kind < 19:
            terms |= {"price": self._px(instrument, side, -3), "post_only": dice.chance(1, 2)}
            terms["display_qty"] = instrument.qty_text(1 + dice.below(50))
        else:
            terms["price"] = dice.pick(("0", "1.234567", "x", "", "-5"))
        return Ask(ClOrdId(self.key()), instrument.symbol, side, ord_type, force, **terms)

    def _stop(self, instrument: Instrument, side: Side) -> tuple[OrdType, dict[str, Any]]:
        dice = self.dice
        at = self._px(instrument, side, dice.between(1, 60))
        match dice.below(3):
            case 0:
                return OrdType.STOP, {"stop_px": at}
            case 1:
                beyond = self._px(instrument, side, dice.pick((60, 600)))
                return OrdType.STOP_LIMIT, {"stop_px": at, "price": beyond}
            case _:
                away = max(self.market.px[instrument.symbol] // 30_000, 1)
                return OrdType.TRAILING_STOP, {"trail_offset": instrument.px_text(away)}

    def _list(self) -> Command:
        """An OCO, a bracket, or just several."""
        dice, instrument = self.dice, self._instrument()
        symbol, qty, gtc = instrument.symbol, self._qty(instrument), TimeInForce.GTC
        kind = dice.pick((None, Contingency.OCO, Contingency.BRACKET))

        def limit(side: Side, bps: int) -> Ask:
            price = self._px(instrument, side, bps)
            return Ask(ClOrdId(self.key()), symbol, side, OrdType.LIMIT, gtc, qty, price)

        def stop(side: Side, bps: int) -> Ask:
            at = self._px(instrument, side, bps)
            return Ask(ClOrdId(self.key()), symbol, side, OrdType.STOP, gtc, qty, stop_px=at)

        side = dice.pick(tuple(Side))
        asks: tuple[Ask, ...]
        if kind is Contingency.BRACKET:
            entry = limit(Side.BUY, dice.pick((-10, 500)))
            asks = (entry, limit(Side.SELL, -30), stop(Side.SELL, 30))
        elif kind is Contingency.OCO:
            asks = (limit(side, -30), stop(side, 30))
        else:
            asks = (self._order(), self._order())
        command_id = request_id(f"!list/{asks[0].cl_ord_id}", "simulated")
        return ev.PlaceOrders(command_id, NO_TIME, asks, kind)

    def _replace(self) -> Command:
        dice, instrument, name = self.dice, self._instrument(), self.key()
        side = dice.pick(tuple(Side))
        qty = self._qty(instrument) if dice.chance(1, 2) else ""
        price = self._px(instrument, side, dice.between(-50, 5)) if dice.chance(2, 3) else ""
        return ev.ReplaceOrder(
            request_id(name, f"{qty}/{price}"),
            NO_TIME,
            dice.pick(self._numbers),
            ClOrdId(name),
            qty,
            price,
        )


class Bookkeeper(Client):
    """Moves money in a book, in one phase and in two."""

    def __init__(self, name: str, dice: Seeded, ask: AskHouse, market: Market) -> None:
        super().__init__(name, dice, ask, market)
        self._pending: list[int] = []

    def wants(self) -> tuple[StreamId, Command]:
        dice, own = self.dice, request_id(f"!book-{self.key()}", "simulated")
        accounts = [BookAccount(f"{letter}/usd") for letter in "abc"]
        if dice.chance(1, 4):
            strict = dice.chance(1, 2)
            asset = AssetCode("USD")
            return BOOK, OpenBookAccount(own, NO_TIME, dice.pick(accounts), asset, strict)
        legs: list[Leg] = []
        for _ in range(dice.between(1, 3)):
            kind = dice.below(4)
            if kind < 2 or not self._pending:
                amount, wait_s = f"{dice.below(50)}.5", dice.below(3)
                one, other = dice.pick(accounts), dice.pick(accounts)
                legs.append(Transfer(one, other, amount, dice.chance(1, 2), wait_s))
            elif kind == 2:
                amount_now = dice.pick((None, "0.5"))
                legs.append(PostPending(dice.pick(self._pending), amount_now))
            else:
                legs.append(VoidPending(dice.pick(self._pending)))
        return BOOK, CreateTransfers(own, NO_TIME, tuple(legs))

    def learn(self, told: Told) -> None:
        if isinstance(told, tuple):
            for entry in told:
                if isinstance(entry.event, TransferPending):
                    self._pending = [*self._pending[-5:], entry.event.number]


class Admin(Client):
    """Lists what trades on the house's own venue; throws the kill switch, and takes it back soon;
    moves limits, states, fees and margin rates."""

    def opening(self) -> list[tuple[StreamId, Command]]:
        rates = [
            SetMargin(request_id(f"!first/{symbol}", "x"), NO_TIME, symbol, RATES, "first", "sim")
            for symbol in ON_MARGIN_SYMBOLS
        ]
        swap = request_id("!first/swap", "x")
        house: list[Command] = [
            *LISTS,
            SetSession(request_id("!first/night", "x"), NO_TIME, NIGHT, "sim"),
            SetSwap(swap, NO_TIME, DEAR_SYMBOL, SWAP, "first", "sim"),
            *rates,
        ]
        return [(HOUSE_STREAM, each) for each in house]

    async def _one(self) -> None:
        if self.dice.chance(3, 4):
            return  # they have other things to do
        stream, command = self.wants()
        await self.until_told(stream, command)
        if not isinstance(command, SetFees):
            await asyncio.sleep(self.dice.below(800) / 1_000)
            for undo in self.as_it_was():
                await self.until_told(stream, undo)

    def as_it_was(self) -> list[ReferenceCommand]:
        limits = SetHouseLimits(self._own(), NO_TIME, Limits(), "again", by="sim")
        active = SetHouseState(self._own(), NO_TIME, TradingState.ACTIVE, "again", by="sim")
        none = RestrictInstruments(self._own(), NO_TIME, (), "again", by="sim")
        rates = SetMargin(self._own(), NO_TIME, DEAR_SYMBOL, RATES, "again", "sim")
        return [Unkill(self._own(), NO_TIME, "again", by="sim"), limits, active, none, rates]

    def wants(self) -> tuple[StreamId, Command]:
        dice, own = self.dice, self._own()
        symbol = dice.pick(self.market.instruments).symbol
        command: Command
        match dice.below(8):
            case 0:
                command = Kill(own, NO_TIME, "simulated", by="sim")
            case 1:
                limits = Limits(collar_bps=40, orders_max=8, duplicate_window_ms=200)
                command = SetHouseLimits(own, NO_TIME, limits, "simulated", by="sim")
            case 2:
                state = dice.pick(tuple(TradingState))
                command = SetHouseState(own, NO_TIME, state, "simulated", by="sim")
            case 3:
                command = RestrictInstruments(own, NO_TIME, (symbol,), "simulated", by="sim")
            case 4 | 5 | 6:
                command = SetMargin(own, NO_TIME, DEAR_SYMBOL, DEAR, "simulated", "sim")
            case _:
                maker, taker = dice.below(400), dice.below(900)
                command = SetFees(own, NO_TIME, symbol, maker, taker, by="sim")
        return HOUSE_STREAM, command

    def _own(self) -> CommandId:
        return request_id(f"!admin-{self.key()}", "simulated")


class Operator(Client):
    """Runs the house's own books: their phases, by a schedule and by hand; and takes the contract
    that trades there to its end, or leaves it open."""

    def __init__(self, name: str, dice: Seeded, ask: AskHouse, market: Market) -> None:
        super().__init__(name, dice, ask, market)
        payout = dice.pick((0, 37, YES.payout_ticks))
        ends = dice.chance(2, 3)
        self._stages = [(Stage.SETTLED, -1), (Stage.DETERMINED, payout)] if ends else []
        self._opens: StreamId | None = None  # what is to trade again

    def opening(self) -> list[tuple[StreamId, Command]]:
        """What is listed by somebody else as well: a schedule is of what is there."""
        opening: list[tuple[StreamId, Command]] = [(HOUSE_STREAM, each) for each in LISTS]
        if self.dice.chance(2, 3):
            schedule, own = self.dice.pick(PHASES), request_id("!first/days", "x")
            opening.append((OWN_STREAM, SetSchedule(own, NO_TIME, schedule, "first", "sim")))
        return opening

    async def _one(self) -> None:
        if self.dice.chance(4, 5) if self._opens else self.dice.chance(2, 3):
            return  # orders gather
        stream, command = self.wants()
        await self.until_told(stream, command)

    def wants(self) -> tuple[StreamId, Command]:
        dice, own = self.dice, request_id(f"!operator-{self.key()}", "simulated")
        if self._opens is not None:
            stream, self._opens = self._opens, None
            return stream, SetPhase(own, NO_TIME, Phase.CONTINUOUS, "again", "sim")
        if self._stages and dice.chance(1, 2):
            stage, payout = self._stages.pop()
            moves = MoveContract(own, NO_TIME, YES.symbol, stage, "simulated", payout, "sim")
            return HOUSE_STREAM, moves
        self._opens = stream = dice.pick((OWN_STREAM, OWN_STREAM, YES_STREAM))
        return stream, SetPhase(own, NO_TIME, dice.pick(BY_HAND), "simulated", "sim")
