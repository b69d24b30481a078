"""The account: what it has ordered, what it holds, and what it may still spend or sell.

Prices are whole ticks and quantities whole lots of their instrument; amounts are ledger units of
their asset. All of them are plain ints.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NewType, Protocol

import msgspec

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.model import (
    Importance,
    Instrument,
    Margin,
    MarginRules,
    NewsItem,
    Outcome,
    Swap,
    Symbol,
)
from fondaco.domain.reference.model import Limits as Limits  # set for the house; named here too
from fondaco.domain.reference.model import SelfMatch as SelfMatch
from fondaco.domain.reference.model import Session as Session
from fondaco.domain.reference.model import TradingState as TradingState
from fondaco.kernel.event import Instant, StreamId
from fondaco.kernel.money import Asset, AssetCode

AccountId = NewType("AccountId", str)  # FIX Account (1)
ClOrdId = NewType("ClOrdId", str)  # FIX ClOrdID (11)
OrderId = NewType("OrderId", str)  # FIX OrderID (37): "demo.57", the account and the order's number

PREFIX: Final = "account/"
RESERVED: Final = "asm-"  # begins ids of accounts that only the house opens: of assessments


def account_stream(account: AccountId) -> StreamId:
    return PREFIX + account  # type: ignore[return-value]  # see kernel.event


def account_of(stream: StreamId) -> AccountId:
    return stream.removeprefix(PREFIX)  # type: ignore[return-value]


def order_id(account: AccountId, number: int) -> OrderId:
    return f"{account}.{number}"  # type: ignore[return-value]


class Side(StrEnum):
    """FIX Side (54)."""

    BUY = "buy"
    SELL = "sell"


class OrdType(StrEnum):
    """FIX OrdType (40). An iceberg is a limit with a `display` quantity: FIX DisplayQty (1138)."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TRAILING_STOP = "trailing_stop"


class TimeInForce(StrEnum):
    """FIX TimeInForce (59)."""

    DAY = "day"
    GTC = "gtc"
    GTD = "gtd"
    IOC = "ioc"
    FOK = "fok"


class OrdStatus(StrEnum):
    """FIX OrdStatus (39), and `unknown`: the venue is silent, so the worst case counts."""

    PENDING_NEW = "pending_new"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    PENDING_CANCEL = "pending_cancel"
    PENDING_REPLACE = "pending_replace"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
    SUSPENDED = "suspended"  # a child of a bracket, waiting for its parent to execute
    UNKNOWN = "unknown"


class Contingency(StrEnum):
    """FIX ContingencyType (1385)."""

    OCO = "oco"  # one cancels the other
    BRACKET = "bracket"  # the first, once executed, lets the other two (an OCO) work


class AccountType(StrEnum):
    """Whether an account may owe: what it buys beyond its cash, or sells beyond what it has."""

    CASH = "cash"
    MARGIN = "margin"


class Reason(StrEnum):
    """Why an order was refused, in the order in which we look. Add values; never rename one."""

    DUPLICATE_ORDER = "duplicate_order"  # FIX OrdRejReason (103) = 6
    ACCOUNT_UNKNOWN = "account_unknown"  # 103=15
    UNKNOWN_INSTRUMENT = "unknown_instrument"  # 103=1
    UNSUPPORTED_ORDER = "unsupported_order"  # 103=11: a combination that makes no sense
    QUANTITY_OFF_LOT = "quantity_off_lot"  # 103=13
    PRICE_OFF_TICK = "price_off_tick"  # 103=18
    TRADING_HALTED = "trading_halted"  # 103=2
    RESTRICTED = "restricted"  # 103=0
    MARKET_CLOSED = "market_closed"  # 103=2
    NO_MARK = "no_mark"  # 103=0: a rule needs a price and there is none
    MARKET_QUALITY = "market_quality"  # 103=0: the book is not OK, so only reducing orders pass
    REDUCING_ONLY = "reducing_only"  # 103=0
    WOULD_NOT_REDUCE = "would_not_reduce"  # 103=0: reduce-only that increases
    DUPLICATE_WINDOW = "duplicate_window"  # 103=6: the same order again, too soon
    EXCEEDS_ORDER_QTY = "exceeds_order_qty"  # 103=3, as all below
    EXCEEDS_ORDER_NOTIONAL = "exceeds_order_notional"
    OUTSIDE_COLLAR = "outside_collar"  # 103=16
    EXCEEDS_POSITION_LIMIT = "exceeds_position_limit"
    EXCEEDS_CONCENTRATION = "exceeds_concentration"
    EXCEEDS_CLASS_CONCENTRATION = "exceeds_class_concentration"
    EXCEEDS_DAILY_LOSS = "exceeds_daily_loss"
    EXCEEDS_ORDER_RATE = "exceeds_order_rate"
    EXCEEDS_NOTIONAL_RATE = "exceeds_notional_rate"
    EXCEEDS_BUYING_POWER = "exceeds_buying_power"
    EXCEEDS_POSITION = "exceeds_position"  # cash accounts sell what they have
    EXCEEDS_MARGIN = "exceeds_margin"  # of a margin account: its equity does not cover it all
    EXCEEDS_ISSUER_CONCENTRATION = "exceeds_issuer_concentration"
    EXCEEDS_VENUE_CONCENTRATION = "exceeds_venue_concentration"
    EXCEEDS_TRADE_RISK = "exceeds_trade_risk"  # the rules of trades, of an account that has them
    EXCEEDS_OPEN_POSITIONS = "exceeds_open_positions"
    EXCEEDS_OPEN_LOTS = "exceeds_open_lots"
    EXCEEDS_LEVERAGE = "exceeds_leverage"
    INSTRUMENT_NOT_ALLOWED = "instrument_not_allowed"  # 103=0: not what this account may open
    NEWS_WINDOW = "news_window"  # 103=2: nothing is opened around an announcement
    LIST_REFUSED = "list_refused"  # 103=99: sound itself, but another order of its list was not


class Excess(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How far an order went beyond a limit, so that its sender need not guess the next one."""

    value: str  # decimals as text
    limit: str
    distance: str
    unit: str  # of the three: an asset, a symbol, "bps", "orders"
    order_qty_max: str  # the largest order that would have passed every rule, in units


class Headroom(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What was left of each measuring rule before the order; -1 where the rule is off.

    `qty` and `position` in lots, `collar` in ticks, `orders` and `open_positions` counts,
    `open_lots` whole 10^-4 of base assets, ratios in basis points, the others in ledger units:
    `power` of the asset that pays (a sell pays with the base asset), `margin`, `trade_risk` and
    `leverage` of the account's currency. In a margin account `power` is what of the base asset an
    order that may only reduce can still close.
    """

    qty: int = -1
    notional: int = -1
    collar: int = -1
    position: int = -1
    concentration: int = -1
    class_concentration: int = -1
    daily_loss: int = -1
    orders: int = -1
    notional_rate: int = -1
    power: int = -1
    margin: int = -1
    issuer_concentration: int = -1
    venue_concentration: int = -1
    trade_risk: int = -1
    open_positions: int = -1
    open_lots: int = -1
    leverage: int = -1


class Order(msgspec.Struct, gc=False, array_like=True):
    """An order that was accepted. In `OrderAccepted` it is a fact; in the state it is the account's
    own copy, which only `evolve` changes."""

    number: int  # 1, 2, 3 … within the account; makes its `order_id`
    cl_ord_id: ClOrdId
    symbol: Symbol
    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    lots: int  # OrderQty (38); for a market order by notional the most that it could buy
    px: int  # Price (44): the limit; of a market order its protection; 0 for a stop until triggered
    # Ledger units set aside: of the quote asset for a buy, of the base asset for a sell. On margin
    # always of the quote asset, and only what executing may lose beside `ref_px`, fees included.
    hold: int
    transact_time: Instant
    stop_px: int = 0  # StopPx (99)
    trail: int = 0  # ticks between the best mark and the stop: PegOffsetValue (211)
    display_lots: int = 0  # DisplayQty (1138); 0 shows everything
    cash_qty: int = 0  # CashOrderQty (152) in ledger units of the quote asset; 0: by quantity
    expire_time: Instant = Instant(0)  # ExpireTime (126); 0: none
    post_only: bool = False  # ExecInst (18) = 6
    reduce_only: bool = False  # ExecInst (18) = E
    group: int = 0  # number of the first order of its OCO or bracket; 0: stands alone
    contingency: Contingency | None = None
    ord_status: OrdStatus = OrdStatus.NEW
    at_venue: bool = True  # False: a stop that waits for its trigger, or a suspended child
    cum_lots: int = 0  # CumQty (14)
    cum_cost: int = 0  # ledger units of the quote asset, for AvgPx (6)
    fees: int = 0
    last_exec: int = 0  # highest venue execution number booked
    pending: ClOrdId = ClOrdId("")  # ClOrdID of the replace or cancel that the venue must answer
    # What `evolve` and the next fill need to know, so that no reference data decides it twice.
    base: AssetCode = AssetCode("")
    quote: AssetCode = AssetCode("")
    base_per_lot: int = 1
    hold_px: int = 0  # the worst price at which it may execute: what a buy's hold is worked out at
    spare: int = 0  # of `hold`: what a leg of an OCO to buy has beyond its worst cost
    pending_lots: int = 0  # terms of the replace that the venue must answer; 0: none
    pending_px: int = 0
    rest: int = 0  # what `cum_cost` is beyond the exact cost, x `cost_den`; see rules/execution.py
    # What `fees` are beyond the exact fees, x 1,000,000; where the instrument's fees have a formula
    # of their own, what that carries from fill to fill.
    fee_rest: int = 0
    cancel_reason: str = ""  # of the cancel that the venue must answer
    ref_px: int = 0  # on margin: what it was worth when it came, its stop or the mark; 0: paid for
    mic: str = "PAPER"  # ExDestination (100): the venue that it is sent to
    self_match: SelfMatch | None = None  # where it would meet its own account; None: the newest
    min_lots: int = 0  # MinQty (110), of each execution; 0: any

    @property
    def leaves_lots(self) -> int:
        """What may still execute: FIX LeavesQty (151)."""
        return self.lots - self.cum_lots


class Ended(msgspec.Struct, gc=False, array_like=True):
    """What is remembered of an order that is done, for reports that come late or twice."""

    symbol: Symbol
    side: Side
    ord_status: OrdStatus
    cum_lots: int
    last_exec: int


class Booked(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An execution at a venue elsewhere, which may take it back as long as the order is known."""

    exec_number: int
    lots: int
    px: int
    is_maker: bool
    gross: int
    fee: int
    fee_exact: int  # x 1,000,000, before what earlier fills had paid beyond theirs
    is_late: bool  # of an order that was done: rounded by itself
    realized: int = 0  # on margin, as `cost`
    cost: int = 0  # what it added to the cost of the position


class Sent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A transfer on its way to another account: its money is in neither."""

    to: StreamId
    asset: AssetCode
    units: int
    value: int  # as of when it left; -1: not known


class Position(msgspec.Struct, gc=False, array_like=True):
    """What a margin account has traded of one instrument and not traded back."""

    lots: int  # bought less sold
    cost: int  # ledger units of the quote asset at average cost, with the sign of `lots`


class OpenLots(msgspec.Struct, gc=False, array_like=True):
    """What the working orders of a margin account may still buy and sell of one instrument. Of a
    group, the order that holds counts for all."""

    buys: int = 0
    sells: int = 0
    reducing: int = 0  # of both, by reduce-only orders
    orders: int = 0  # that count


class Matched(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Fills of one report that are not confirmed: see `events.FillMatched`."""

    symbol: Symbol
    side: Side
    lots: int
    base: AssetCode
    quote: AssetCode
    base_units: int
    gross: int
    fee: int
    residue: int
    asset: AssetCode
    units: int


class NewsRule(msgspec.Struct, frozen=True, gc=False):
    """Nothing is opened so near to an announcement that is at least so important."""

    before_ns: int
    after_ns: int
    importance: Importance = Importance.HIGH


class TradeRules(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What may be opened on an account on margin, beside its limits: an order that would break one
    is refused. Money is in ledger units of the account's currency; 0 and () are no rule."""

    risk_max: int = 0  # of a position: what it loses if its stops are met, all where it has none
    positions_max: int = 0  # open at the same time
    lots_max: int = 0  # open at the same time, of base assets, in whole 10^-4
    leverage: int = 0  # all that is open over equity
    instruments: tuple[Symbol, ...] = ()  # (): all
    news: NewsRule | None = None


class Rates(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Fees of one account in place of an instrument's, in parts per million."""

    maker_fee_ppm: int
    taker_fee_ppm: int


class AccountState(msgspec.Struct):
    """State of one account. Only `evolve` writes to it; a snapshot is its msgpack.

    Sums over working orders are kept, not computed: a turn costs the same at any number of them.
    A spot position is the balance of its base asset.
    """

    opened: bool = False
    tenant: str = ""
    name: str = ""
    currency: AssetCode = AssetCode("")
    balances: dict[AssetCode, int] = {}  # ledger units
    held: dict[AssetCode, int] = {}  # of `balances`, by working orders: the sum of their holds
    coming: dict[AssetCode, int] = {}  # base units that working buys which hold may still bring
    working: dict[int, Order] = {}  # by number
    numbers: dict[ClOrdId, int] = {}  # of working orders
    order_count: int = 0  # accepted and refused: the last number given
    due: dict[int, dict[int, bool]] = {}  # working orders by the instant at which they expire
    limits: Limits | None = None  # None: those of the house
    trading_state: TradingState = TradingState.ACTIVE
    session_day: int = -1  # of the session that `session_equity` began
    session_equity: int = 0  # at its start, moved by deposits and withdrawals since
    pace: list[list[int]] = []  # [begin in ns, orders, notional] of the rate window, oldest first
    pace_orders: int = 0  # sums over `pace`
    pace_notional: int = 0
    # Orders of the duplicate window and when they came: since an instant, and before it.
    recent: dict[str, int] = {}
    recent_before: dict[str, int] = {}
    recent_since: int = 0
    ended: dict[int, Ended] = {}  # the last `ENDED_MAX` orders that are done, oldest first
    missing: dict[int, list[int]] = {}  # executions that were overtaken by later ones, by order
    virtual: bool = False  # nothing in it is anybody's money
    transfer_count: int = 0  # the last number given to a transfer that was sent
    unsettled: dict[AssetCode, int] = {}  # of `balances`: what fills have brought in, not settled
    settling: dict[int, dict[AssetCode, int]] = {}  # the same by the instant at which it settles
    sent: dict[int, Sent] = {}  # transfers that the other account has not answered yet
    account_type: AccountType = AccountType.CASH
    # Of a margin account. A spot position is a balance all the same; here is what it cost.
    positions: dict[Symbol, Position] = {}
    open_lots: dict[Symbol, OpenLots] = {}
    warned_bps: int = 0  # the highest warning level that it was told and has not fallen below
    liquidating: bool = False
    fees: dict[Symbol, Rates] = {}  # of its own; "": of every instrument that is not named
    matched: dict[int, dict[int, Matched]] = {}  # by order and execution; what they bring is held
    executed: dict[int, list[Booked]] = {}  # at venues elsewhere, by order
    trade_rules: TradeRules | None = None  # of an account on margin; None: it has none

    def free(self, asset: AssetCode) -> int:
        """Ledger units that nothing holds: buying power, or what may be sold or withdrawn."""
        return self.balances.get(asset, 0) - self.held.get(asset, 0)


class Rate(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an asset is worth: `num / den` ledger units of the currency per ledger unit."""

    num: int
    den: int
    mark: Mark | None = None  # that it was worked out from; None for the currency itself or a peg


class Shown(Protocol):
    """A book as it is displayed: up to `limit` levels as (ticks, lots), best first."""

    def bids(self, limit: int) -> list[tuple[int, int]]: ...

    def asks(self, limit: int) -> list[tuple[int, int]]: ...


class TradingRefs(msgspec.Struct):
    """What a decision is given besides state and command; put together by the shell.

    `marks`, `rates` and `books` are the board's own dictionaries: they move between turns, never
    within one.
    """

    version: int
    assets: dict[AssetCode, Asset]
    instruments: dict[Symbol, Instrument]  # an instrument that we do not trade is absent
    limits: Limits
    marks: dict[Symbol, Mark]
    rates: dict[AssetCode, Rate]  # into the currency of every account
    currency: AssetCode = AssetCode("USD")
    state: TradingState = TradingState.ACTIVE
    states: dict[Symbol, TradingState] = {}  # an instrument that is absent is ACTIVE
    restricted: frozenset[Symbol] = frozenset()
    session: Session = Session()
    session_day: int = 0  # days since 1970 of the session that is open now, in `session.time_zone`
    session_closes_at: Instant = Instant(0)  # when DAY orders expire
    settles_at: tuple[Instant, ...] = ()  # when what is traded now settles at T+1, T+2 …
    settles_by: dict[str, tuple[Instant, ...]] = {}  # … by calendar, of instruments that have one
    margins: dict[Symbol, Margin] = {}  # an instrument that is absent must be paid for in full
    haircuts: dict[AssetCode, int] = {}  # parts per million that are no collateral; absent: 0
    margin_rules: MarginRules = MarginRules()
    contracts: dict[Symbol, Outcome] = {}  # event contracts that are no longer open
    swaps: dict[Symbol, Swap] = {}  # an instrument that is absent costs nothing overnight
    # Worked out from `instruments` whenever they change; `homes` names the instrument by which a
    # position in an asset is closed and, if it has margin rates, required to be covered.
    homes: dict[AssetCode, Symbol] = {}
    by_issuer: dict[str, tuple[AssetCode, ...]] = {}
    by_venue: dict[str, tuple[AssetCode, ...]] = {}  # an asset counts wherever it trades
    announced: dict[str, NewsItem] = {}  # by id
    news: dict[Symbol, tuple[NewsItem, ...]] = {}  # the same by instrument, in order of time
    books: Mapping[Symbol, Shown] = {}  # what a market order can be expected to cost


class TradedFill(msgspec.Struct, frozen=True, gc=False):
    """A fill that stands, as an account's history has it. Busted and failed ones are not there."""

    position: int  # of the journal
    at: Instant
    symbol: Symbol
    lots: int  # negative: sold
    gross: int  # what they cost or brought in, ledger units of the quote asset, before fees
    fee: int
    exec_id: str
    realized: int = 0  # of a contract: what its account was paid at once


class BalanceFlow(msgspec.Struct, frozen=True, gc=False):
    """What moved a balance and was no fill: "deposit", "withdrawal", "swap", "transfer_in" …"""

    position: int
    at: Instant
    kind: str
    about: str  # the symbol of a "swap", the other account of a transfer
    asset: AssetCode
    units: int


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """An order that a rule has refused."""

    at: Instant
    symbol: str
    reason: str


class AccountHistory(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What an account has traded and what else moved its balances, oldest first. Where it was reset
    its history begins there: `opening` are the balances that it was given."""

    account_id: str
    name: str
    currency: AssetCode
    opened_at: Instant
    begins_at: Instant
    opening: dict[AssetCode, int]
    fills: list[TradedFill]
    flows: list[BalanceFlow]
    balances: dict[AssetCode, int]  # now
    orders: int  # accepted and refused
    canceled: int
    refusals: list[Refusal]
    instruments: dict[Symbol, Instrument]
    assets: dict[AssetCode, Asset]
    position: int  # of the journal, as far as this shows it
