"""Instruments and assets: what a tick and a lot are worth, exactly; and what the house allows."""

from enum import StrEnum
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta

from fondaco.domain.reference import fees
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode, ceil_div, format_scaled, parse_scaled

Symbol = NewType("Symbol", str)  # FIX Symbol (55): "BTC-USD"
SymbolText = Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9._-]{0,39}$", examples=["BTC-USD"])]

HOUSE_STREAM: Final = StreamId("reference/house")
SETTLE_DAYS_MAX: Final = 5
WEEKDAYS: Final = "WEEKDAYS"  # the calendar of Monday to Friday, without holidays
PAPER_MIC: Final = "PAPER"
MIDPOINT_MIC: Final = "MIDPT"  # where orders of every instrument meet in the dark: five characters
POOL_MIC: Final = "POOLS"  # where orders that are not whole round lots wait for each other
CROSS_MIC: Final = "CROSS"  # where our customers' orders meet each other in the light
OWN_MICS: Final = frozenset((PAPER_MIC, CROSS_MIC, MIDPOINT_MIC, POOL_MIC))  # others are elsewhere
RATE_SCALE: Final = 1_000_000  # fee rates are parts per million of the notional


class InstrumentKind(StrEnum):
    """What changes hands when an instrument trades."""

    SPOT = "spot"  # the base asset against the quote asset
    LINEAR = "linear"  # nothing but its gains and losses, in the quote asset: a contract


class Allocation(StrEnum):
    """Who trades first among those who rest at one price on the house's own book."""

    FIFO = "fifo"  # who came first
    PRO_RATA = "pro_rata"  # everybody, in proportion to what they show
    PRO_RATA_TOP = "pro_rata_top"  # whoever bettered the market, then everybody; no single lots


class FeeFormula(StrEnum):
    """How a fee follows from a fill. The rates are the instrument's; see `fees`."""

    NOTIONAL = "notional"  # rate x what it cost, over a whole order, rounded up once
    KALSHI = "kalshi"  # rate x C x P x (1 - P), balances fall to whole cents, rebates
    POLYMARKET = "polymarket"  # … down to 0.00001
    ROTHERA = "rothera"  # … to the cent, one cent at least


NOTIONAL: Final = FeeFormula.NOTIONAL
EVENT: Final = "event"  # the asset class of contracts that pay on an outcome
# Decimals of a quantity that each formula is published for; all have prices of 4 at most.
_QTY_DECIMALS: Final = {FeeFormula.KALSHI: 2, FeeFormula.POLYMARKET: 6, FeeFormula.ROTHERA: 2}
_PX_DECIMALS: Final = 4
# What a fill may be charged beyond the formula's exact amount, in millionths; and for how many
# fills of one order that is set aside.
_ROUNDING: Final = {
    FeeFormula.KALSHI: fees.CENT + fees.CENTICENT,
    FeeFormula.POLYMARKET: 0,
    FeeFormula.ROTHERA: fees.CENT,
}
_FILLS_RESERVED: Final = 10


class Instrument(msgspec.Struct, frozen=True, gc=False):
    """A spot pair, or a linear contract on its base asset, which settles in its quote asset or, at
    the rates of each fill, in the asset `settle`. A price is whole ticks, a quantity whole lots;
    both are plain ints everywhere.

    A tick is `tick_units` x 10^-px_decimals of the quote asset, a lot `lot_units` x
    10^-qty_decimals of the base asset. One lot at one tick costs `cost_num / cost_den` ledger units
    of the quote asset, which need not be whole: who rounds says which way.
    """

    symbol: Symbol
    base: AssetCode
    quote: AssetCode
    tick_units: int
    px_decimals: int
    lot_units: int
    qty_decimals: int
    base_per_lot: int  # ledger units of the base asset in one lot
    cost_num: int
    cost_den: int
    maker_fee_ppm: int = 0
    taker_fee_ppm: int = 0
    mic: str = PAPER_MIC  # where its orders go
    asset_class: str = "crypto"
    kind: InstrumentKind = InstrumentKind.SPOT
    issuer: str = ""  # who stands behind the base asset, as concentration limits name it; "": none
    # What a fill brings in is settled when so many sessions have opened since: T+n; 0: at once.
    # Until then it may be traded with, but neither withdrawn nor sent to another account.
    settle_days: int = 0
    reference_px: int = 0  # what it is worth until it trades, where no other market says so
    fee_formula: FeeFormula = FeeFormula.NOTIONAL
    settle: AssetCode = AssetCode("")  # of a contract; "": its quote asset
    # Whether what a fill brings in is ours only once somebody has said that the trade is confirmed:
    # until then it is held, and a trade that fails leaves nothing.
    confirms: bool = False
    calendar: str = ""  # whose days of business settlement counts; "": every day
    allocation: Allocation = Allocation.FIFO  # on the house's own book
    # Lots: what its venue trades whole multiples of. An order that is none is pooled; 0: any goes.
    round_lots: int = 0

    def ticks(self, text: str, what: str = "price") -> int:
        """Read a price; raises `Invalid` off the tick."""
        return self._whole(parse_scaled(text, 18, what), self.tick_units, self.px_decimals, what)

    def lots(self, text: str, what: str = "order_qty") -> int:
        """Read a quantity; raises `Invalid` off the lot."""
        return self._whole(parse_scaled(text, 18, what), self.lot_units, self.qty_decimals, what)

    def px_text(self, ticks: int) -> str:
        return format_scaled(ticks * self.tick_units, self.px_decimals)

    def qty_text(self, lots: int) -> str:
        return format_scaled(lots * self.lot_units, self.qty_decimals)

    def cost_up(self, ticks: int, lots: int) -> int:
        """Quote ledger units of `lots` at `ticks`, rounded up: what a hold needs."""
        return ceil_div(ticks * lots * self.cost_num, self.cost_den)

    def cost_down(self, ticks: int, lots: int) -> int:
        return ticks * lots * self.cost_num // self.cost_den

    # An event contract pays one of its quote asset; its fees have a formula of their own.

    @property
    def payout_ticks(self) -> int:
        """One of the quote asset in ticks: the price of what is certain."""
        one: int = 10**self.px_decimals
        return one // self.tick_units

    @property
    def fee_reserve(self) -> int:
        """Ledger units of the quote asset that an order sets aside for how its formula rounds."""
        if self.fee_formula is NOTIONAL:
            return 0
        return _ROUNDING[self.fee_formula] * _FILLS_RESERVED * self._micro

    @property
    def fits_formula(self) -> bool:
        """Whether prices and quantities are whole numbers of what the formula counts in."""
        if self.fee_formula is NOTIONAL:
            return True
        return (
            self.asset_class == EVENT
            and self.px_decimals <= _PX_DECIMALS
            and self.qty_decimals <= _QTY_DECIMALS[self.fee_formula]
            and self._micro > 0
        )

    def fee_exact_up(self, ticks: int, lots: int, rate_ppm: int) -> int:
        """rate x C x P x (1 - P) in ledger units of the quote asset, rounded up: what a formula
        charges before it rounds. Nothing beyond the price of what is certain."""
        one = self.payout_ticks
        left = one - ticks if ticks < one else 0
        return ceil_div(rate_ppm * ticks * lots * left * self.cost_num, self.cost_den * one * 10**6)

    def charge(
        self, ticks: int, lots: int, *, is_buy: bool, is_maker: bool, carried: int = 0
    ) -> tuple[int, int]:
        """What its formula charges a fill, in ledger units of the quote asset; and what the order
        carries to its next fill, in millionths."""
        rate = self.maker_fee_ppm if is_maker else self.taker_fee_ppm
        px = min(ticks * self.tick_units * 10 ** (_PX_DECIMALS - self.px_decimals), fees.ONE)
        formula, decimals = self.fee_formula, _QTY_DECIMALS[self.fee_formula]
        qty = lots * self.lot_units * 10 ** (decimals - self.qty_decimals)
        if formula is FeeFormula.KALSHI:
            revenue = -qty * px if is_buy else qty * px
            fill = fees.kalshi_fill(revenue, fees.kalshi_trade_fee(qty, px, rate), carried)
            return fill.net_fee * self._micro, fill.accumulated
        if formula is FeeFormula.POLYMARKET:
            return fees.polymarket_fee(qty, px, rate) * self._micro, 0
        return fees.rothera_fee_cents(qty, px, rate) * fees.CENT * self._micro, 0

    @property
    def _micro(self) -> int:
        """Ledger units in a millionth of the quote asset; 0 where it is kept less exactly."""
        num: int = self.cost_num * 10 ** (self.px_decimals + self.qty_decimals)
        return num // (self.cost_den * self.tick_units * self.lot_units) // fees.MICROS

    def _whole(self, e18: int, step_units: int, decimals: int, what: str) -> int:
        step: int = step_units * 10 ** (18 - decimals)
        count, rest = divmod(e18, step)
        if rest:
            raise Invalid(
                f"{what} is {format_scaled(e18, 18)}, must be a multiple of "
                f"{format_scaled(step, 18)} on {self.symbol}",
                code="quantity_off_lot" if "qty" in what else "price_off_tick",
            )
        return count


def instrument(
    symbol: str,
    base: Asset,
    quote: Asset,
    *,
    tick: str,
    lot: str,
    maker: int = 0,
    taker: int = 0,
    kind: InstrumentKind = InstrumentKind.SPOT,
    fee_formula: FeeFormula = FeeFormula.NOTIONAL,
) -> Instrument:
    """An instrument from its tick and lot as text; `maker` and `taker` are parts per million.

    Raises `Invalid` where the ledger scale of the base asset is coarser than the lot.
    """
    px_decimals, qty_decimals = len(tick.partition(".")[2]), len(lot.partition(".")[2])
    if qty_decimals > base.decimals:
        raise Invalid(f"lot is {lot}, finer than the ledger keeps {base.code}: {base.decimals}")
    tick_units, lot_units = (
        parse_scaled(tick, px_decimals, "tick"),
        parse_scaled(lot, qty_decimals, "lot"),
    )
    shift = quote.decimals - px_decimals - qty_decimals
    return Instrument(
        symbol=Symbol(symbol),
        base=base.code,
        quote=quote.code,
        tick_units=tick_units,
        px_decimals=px_decimals,
        lot_units=lot_units,
        qty_decimals=qty_decimals,
        base_per_lot=lot_units * 10 ** (base.decimals - qty_decimals),
        cost_num=tick_units * lot_units * 10 ** max(shift, 0),
        cost_den=10 ** max(-shift, 0),
        maker_fee_ppm=maker,
        taker_fee_ppm=taker,
        asset_class=base.asset_class,
        kind=kind,
        fee_formula=fee_formula,
    )


class Stage(StrEnum):
    """Where an event contract is in its life. It trades in OPEN only, and pays in SETTLED only.

    Closed is not settled. A market closes, then somebody determines the outcome, which may be
    disputed or amended, and only a settled one pays: before that it is worth what people would pay
    for it. Names are Kalshi's; Polymarket's are mapped to them.

        created → open ⇄ paused → closed → determined ⇄ disputed → settled
    """

    CREATED = "created"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"
    DETERMINED = "determined"  # somebody said what the outcome is
    DISPUTED = "disputed"  # somebody else says otherwise
    SETTLED = "settled"  # final: paid


# What may follow what. Exchanges skip stages: a market that nobody closed may be determined.
NEXT: Final = {
    Stage.CREATED: frozenset({Stage.OPEN, Stage.PAUSED, Stage.CLOSED, Stage.DETERMINED}),
    Stage.OPEN: frozenset({Stage.PAUSED, Stage.CLOSED, Stage.DETERMINED}),
    Stage.PAUSED: frozenset({Stage.OPEN, Stage.CLOSED, Stage.DETERMINED}),
    Stage.CLOSED: frozenset({Stage.OPEN, Stage.DETERMINED}),
    Stage.DETERMINED: frozenset({Stage.DETERMINED, Stage.DISPUTED, Stage.SETTLED}),
    Stage.DISPUTED: frozenset({Stage.DETERMINED, Stage.CLOSED}),
    Stage.SETTLED: frozenset[Stage](),
}


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What is known of an event contract: `payout` in ticks a contract, -1 while nobody said."""

    stage: Stage = Stage.OPEN
    payout: int = -1

    def moved(self, stage: Stage, payout: int, whole: int) -> "Outcome | None":
        """As it is in `stage`; None where that cannot follow. A determination states what it would
        pay, at most `whole`; a settlement may state it again, and must agree."""
        allowed = stage in NEXT[self.stage]
        if stage is Stage.DETERMINED:
            allowed = allowed and 0 <= payout <= whole
        if stage is Stage.SETTLED:
            allowed = allowed and payout in (-1, self.payout)
        if not allowed:
            return None
        if stage is Stage.DETERMINED:
            return Outcome(stage, payout)
        return Outcome(stage, -1 if stage in (Stage.CLOSED, Stage.OPEN) else self.payout)


class TradingState(StrEnum):
    """Of an account, an instrument or the house; the strictest of the three rules."""

    ACTIVE = "active"
    REDUCING = "reducing"  # only orders that make a position smaller
    HALTED = "halted"  # nothing new; what works may be canceled


class SelfMatch(StrEnum):
    """What happens where an order would meet another one of its own account, on the house's book:
    FIX SelfMatchPreventionInstruction (2964), and "decrement", which FIX does not have."""

    CANCEL_NEWEST = "cancel_newest"  # the taker ends: 1 (cancel aggressive); where nothing is said
    CANCEL_OLDEST = "cancel_oldest"  # the maker ends, the taker goes on: 2 (cancel passive)
    CANCEL_BOTH = "cancel_both"  # 3 (cancel aggressive and passive)
    DECREMENT = "decrement"  # both lose what the smaller one has; neither executes


class Limits(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What an account may do. Money is in ledger units of the account's currency; 0 is off.

    Ratios are basis points (1/10,000). The house has limits for everybody; an account may have its
    own instead.
    """

    order_qty_max: dict[Symbol, int] = {}  # lots
    order_notional_max: int = 0
    collar_bps: int = 0  # how far a limit may be from the mark, on the side that executes worse
    position_max: dict[Symbol, int] = {}  # lots, open orders counted
    concentration_max_bps: int = 0  # of equity, in one instrument
    class_concentration_max_bps: dict[str, int] = {}  # of equity, by asset class
    issuer_concentration_max_bps: int = 0  # of equity, in all that one issuer stands behind
    venue_concentration_max_bps: int = 0  # of equity, in all that trades at one venue
    daily_loss_max: int = 0
    orders_max: int = 0  # within `rate_window_ms`
    notional_max: int = 0  # within `rate_window_ms`
    rate_window_ms: int = 1_000
    duplicate_window_ms: int = 0
    market_protection_bps: int = 500  # a market order goes no further than this from the mark
    self_match: SelfMatch | None = None  # of orders that do not say; None: as the house's limits do


def wrong_limit(limits: Limits) -> str:
    """What no house or account can have meant, or "": a limit is at least 0, which is off."""
    for name in limits.__struct_fields__:
        value = getattr(limits, name)
        if name == "self_match":
            continue
        each = value.items() if isinstance(value, dict) else [("", value)]
        for key, number in each:
            if number < 0:
                return f"{name} {key}".strip() + f" is {number}, must be at least 0"
    if not limits.rate_window_ms and (limits.orders_max or limits.notional_max):
        return "rate_window_ms is 0, must be positive where a rate is limited"
    return ""


class MarginTier(msgspec.Struct, frozen=True, gc=False):
    """One bracket of margin rates, by the notional of a whole position: ledger units of the
    accounts' currency. Rates are parts per million of it.

    `deduction` is what the maintenance of the whole position at this bracket's rate is too much,
    since its first units are in lower brackets: "cum" in Binance's tables (figures R1 to R5).
    """

    notional_max: int  # this bracket ends there, inclusive; 0, of the last one: it does not end
    initial_ppm: int
    maintenance_ppm: int
    deduction: int = 0  # ledger units


class Margin(msgspec.Struct, frozen=True, gc=False):
    """What a position in an instrument must be covered by, in brackets that go up."""

    tiers: tuple[MarginTier, ...]

    def required(self, notional: int) -> tuple[int, int]:
        """Initial and maintenance requirement of a position worth `notional`, rounded up."""
        for tier in self.tiers:
            if notional <= tier.notional_max or not tier.notional_max:
                break
        initial = ceil_div(notional * tier.initial_ppm, RATE_SCALE)
        maintenance = ceil_div(notional * tier.maintenance_ppm, RATE_SCALE) - tier.deduction
        return initial, maintenance if maintenance > 0 else 0


def wrong_margin(margin: Margin) -> str:
    """Why `margin` makes no sense, or "": requirements never fall as a position grows."""
    before = MarginTier(0, 1, 1)
    for nth, tier in enumerate(margin.tiers, 1):
        is_last = nth == len(margin.tiers)
        if not 0 < tier.maintenance_ppm <= tier.initial_ppm <= RATE_SCALE:
            return f"tier {nth}: rates must be 0 < maintenance_ppm <= initial_ppm <= {RATE_SCALE}"
        if (tier.notional_max == 0) != is_last:
            return f"tier {nth}: notional_max must be 0 in the last tier, and in no other"
        if not is_last and tier.notional_max <= before.notional_max:
            return f"tier {nth}: notional_max must be above that of the tier before"
        if tier.initial_ppm < before.initial_ppm or tier.maintenance_ppm < before.maintenance_ppm:
            return f"tier {nth}: rates must not be below those of the tier before"
        if tier.deduction < 0:
            return f"tier {nth}: deduction is {tier.deduction}, must be at least 0"
        begin = before.notional_max
        if (
            begin * tier.maintenance_ppm - tier.deduction * RATE_SCALE
            < begin * before.maintenance_ppm - before.deduction * RATE_SCALE
        ):
            return f"tier {nth}: with its deduction, more would need less maintenance at its start"
        before = tier
    return "" if margin.tiers else "at least one tier is needed"


class Swap(msgspec.Struct, frozen=True, gc=False):
    """What a position of a margin account is charged for each session day over which it is kept, in
    parts per million of its worth at the mark; below zero it is credited."""

    long_ppm: int
    short_ppm: int


class MarginRules(msgspec.Struct, frozen=True, gc=False):
    """When an account on margin is warned: the share of its equity, in basis points, that its
    maintenance requirement takes. At 10,000 it is liquidated. A level is said once, and again only
    after the share has fallen by `hysteresis_bps` below it."""

    warning_bps: tuple[int, ...] = (8_000, 9_000)
    hysteresis_bps: int = 500


def wrong_margin_rules(rules: MarginRules) -> str:
    """Why `rules` make no sense, or ""."""
    levels = rules.warning_bps
    if list(levels) != sorted(set(levels)) or any(not 0 < bps <= 10_000 for bps in levels):
        return f"warning_bps are {list(levels)}, must go up from 1 to 10000"
    if not 0 <= rules.hysteresis_bps < min(levels, default=10_000):
        return f"hysteresis_bps is {rules.hysteresis_bps}, must be from 0 to below the first level"
    return ""


class Session(msgspec.Struct, frozen=True, gc=False):
    """When a trading day begins: `opens_minute` of the local day in `time_zone` (IANA)."""

    time_zone: str = "UTC"
    opens_minute: int = 0


# What we take an asset for where no market says what it is worth. A stablecoin promises par, and
# valuing an account needs some price: this one is stated, and any market in the pair replaces it.
PEGS: Final[dict[AssetCode, AssetCode]] = {
    AssetCode("USDT"): AssetCode("USD"),
    AssetCode("USDC"): AssetCode("USD"),
}


class Importance(StrEnum):
    """Of an announcement, as calendars have it; each includes those after it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class NewsItem(msgspec.Struct, frozen=True, gc=False):
    """An announcement that is expected. It touches the instruments that it names, and those that
    have one of its currencies as base or quote; without either it touches all."""

    news_id: str
    at: Instant
    title: str
    importance: Importance
    currencies: tuple[AssetCode, ...] = ()
    instruments: tuple[Symbol, ...] = ()
    source: str = ""

    def touches(self, instrument: Instrument) -> bool:
        if not self.currencies and not self.instruments:
            return True
        return instrument.symbol in self.instruments or bool(
            {instrument.base, instrument.quote} & {*self.currencies}
        )


NEWS_MAX: Final = 10_000  # announcements that a house keeps
NEWS_KEPT_NS: Final = 30 * 86_400_000_000_000  # after which one may be forgotten


class HouseState(msgspec.Struct):
    """Everything that accounts are given as reference data. `version` is that of the stream.

    Values are replaced, never changed in place, so that whoever was given one may keep it.
    """

    version: int = 0
    instruments: dict[Symbol, Instrument] = {}
    assets: dict[AssetCode, Asset] = {}
    limits: Limits = Limits()
    state: TradingState = TradingState.ACTIVE
    states: dict[Symbol, TradingState] = {}  # an instrument that is absent is ACTIVE
    restricted: frozenset[Symbol] = frozenset()
    session: Session = Session()
    killed: str = ""  # why, while the kill switch is thrown
    margins: dict[Symbol, Margin] = {}  # an instrument that is absent must be paid for in full
    # Parts per million of an asset's worth that do not count as collateral; absent: 0.
    haircuts: dict[AssetCode, int] = {}
    margin_rules: MarginRules = MarginRules()
    contracts: dict[Symbol, Outcome] = {}  # event contracts that have moved beyond being open
    swaps: dict[Symbol, Swap] = {}  # an instrument that is absent costs nothing overnight
    routes: dict[Symbol, str] = {}  # the venue of orders that do not go to the instrument's own
    news: dict[str, NewsItem] = {}  # announcements by id

    @property
    def effective_state(self) -> TradingState:
        """Of the house: HALTED while the kill switch is thrown."""
        return TradingState.HALTED if self.killed else self.state
