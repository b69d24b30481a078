"""What the trading room shows of its views. Amounts are decimals as text, times are ISO 8601."""

from typing import Any, Final, Generic, TypeVar

import msgspec

from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import NotFound
from fondaco.kernel.money import Asset, AssetCode, format_scaled, half_even_div

_AVG_PX_DECIMALS: Final = 6  # beyond those of a price

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True, gc=False):
    """`next` is to be given back as `cursor` for what follows; None: that was all."""

    items: list[T]
    next: str | None = None


class OrderLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """An order as it stands. A refused one shows what was asked for, and why not."""

    order_id: str
    account_id: str
    cl_ord_id: str
    symbol: str
    side: str
    ord_type: str
    ord_status: str
    order_qty: str
    leaves_qty: str
    cum_qty: str
    created_at: str
    updated_at: str
    position: int  # of the entry that changed it last
    time_in_force: str | None = None
    price: str | None = None
    avg_px: str | None = None
    stop_px: str | None = None
    trail_offset: str | None = None
    display_qty: str | None = None
    cash_order_qty: str | None = None
    expire_time: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    list_id: str | None = None  # of an OCO or a bracket: the order_id of its first
    contingency: str | None = None
    at_venue: bool = True
    hold: str | None = None
    hold_asset: str | None = None
    fees: str | None = None
    reason: str | None = None
    text: str | None = None


class Step(msgspec.Struct, frozen=True, gc=False):
    position: int
    kind: str
    at: str


class OrderReplyFull(msgspec.Struct, frozen=True, gc=False):
    """An order, each entry about it in order, and each of its executions."""

    order: OrderLine
    history: list[Step]
    executions: list["ExecutionLine"]


class ExecutionLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    exec_id: str  # order_id.number, and .part where a venue reported several prices at once
    order_id: str
    account_id: str
    symbol: str
    side: str
    last_qty: str
    last_px: str
    gross: str
    fee: str
    currency: str  # of gross and fee
    liquidity: str  # "maker" or "taker"
    at: str
    position: int
    over_qty: str | None = None
    amended: str | None = None  # "busted" or "corrected" by its venue: it counts no more


class BalanceLine(msgspec.Struct, frozen=True, gc=False):
    asset: str
    balance: str
    held: str  # by open orders
    free: str


class WaitingFills(msgspec.Struct, frozen=True, gc=False):
    """Fills of one position that are "matched" (no chain has confirmed them, and they may be taken
    back) or "confirmed" (they stand, and what they bring in has not settled). At a mark they have
    gained `cash` and `traded_qty` times the mark; what is in neither is settled."""

    state: str
    traded_qty: str  # bought less sold
    cash: str  # received less paid, after fees
    fills: int


class StateLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Why orders are kept out. `scope` is "kill" (the house, by its switch), "house",
    "instrument" or "account"."""

    scope: str
    name: str  # of the instrument or the account
    state: str  # "halted" or "reducing"
    reason: str
    by: str  # "": not known
    at: str
    position: int


class PositionLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """`qty` is the balance of the base asset, or of a contract what is open. Costs are of the part
    of it that was traded here. `waiting` is what has not settled of it."""

    account_id: str
    symbol: str
    qty: str
    traded_qty: str
    currency: str
    cost: str
    realized: str
    fees: str
    position: int
    avg_px: str | None = None
    waiting: list[WaitingFills] = []


class AccountLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    account_id: str
    name: str
    currency: str
    trading_state: str
    opened_at: str
    account_type: str
    limits: Any = None  # as set for this account; None: those of the house


class AccountSummary(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    account: AccountLine
    balances: list[BalanceLine]
    open_orders: int
    position: int  # of the journal, as far as this shows it


class StatementLine(msgspec.Struct, frozen=True, gc=False):
    """One line of a statement; `opening` and `closing` lines move nothing."""

    time: str
    # "opening", "deposit", "transfer_in", "buy", "realized", "fee", "covered", "reset", "closing" …
    kind: str
    reference: str  # the exec_id
    asset: str
    amount: str  # rounded to the minor unit of the asset
    balance: str
    amount_exact: str
    balance_exact: str


class DayLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One asset on one day; amounts are exact, but for `shown`, which is the closing balance
    rounded to the minor unit."""

    asset: str
    opening: str
    closing: str
    change: str
    fees: str
    realized: str  # at average cost, before fees
    shown: str


class DailyStatement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A session day of an account. While it is not over, `final` is false and more may come."""

    account_id: str
    name: str
    currency: str
    day: str  # ISO 8601, in the session's time zone
    final: bool
    balances: list[DayLine]
    movements: list[StatementLine]
    position: int  # of the journal, as far as this shows it


class SentLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A transfer to another account: "pending" until that one has answered, then "posted" or
    "voided"."""

    account_id: str
    number: int
    to_account_id: str
    asset: str
    amount: str
    status: str
    text: str
    created_at: str
    updated_at: str
    position: int


class SettlementLine(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a fill has brought in: "traded" until it is "settled"; then it may leave the account."""

    order_id: str
    exec_id: str
    symbol: str
    asset: str
    amount: str
    state: str
    traded_at: str
    settles_at: str
    settled_at: str | None
    position: int


class WaitingStop(msgspec.Struct, frozen=True, gc=False):
    """A stop that is not at its venue: what a trigger follower arms. Ticks, not text."""

    account_id: str
    number: int
    symbol: str
    side: str
    stop_px: int
    trail: int
    suspended: bool


class Deadline(msgspec.Struct, frozen=True, gc=False):
    account_id: str
    number: int
    expire_time: int


class Terms:
    """How to print amounts: instruments and assets by name."""

    def __init__(self, instruments: dict[str, Instrument], assets: dict[str, Asset]) -> None:
        self._instruments = instruments
        self._assets = assets

    def listed(self) -> list[Instrument]:
        return list(self._instruments.values())

    def assets(self) -> dict[AssetCode, Asset]:
        return {each.code: each for each in self._assets.values()}

    def instrument(self, symbol: str) -> Instrument:
        try:
            return self._instruments[symbol]
        except KeyError:
            raise NotFound(f"{symbol} was never listed here") from None

    def asset(self, code: str) -> Asset:
        try:
            return self._assets[code]
        except KeyError:
            raise NotFound(f"asset {code} is not of any listed instrument") from None

    def amount(self, units: int, code: str) -> str:
        return format_scaled(units, self.asset(code).decimals)

    def avg_px(self, symbol: str, cost: int, lots: int) -> str | None:
        """Quote units per unit of the base asset, half to even; None of nothing."""
        if not lots:
            return None
        terms = self.instrument(symbol)
        decimals = terms.px_decimals + _AVG_PX_DECIMALS
        numerator = cost * 10 ** (terms.qty_decimals + decimals)
        denominator = lots * terms.lot_units * 10 ** self.asset(terms.quote).decimals
        if denominator < 0:
            numerator, denominator = -numerator, -denominator
        return format_scaled(half_even_div(numerator, denominator), decimals)


def exec_id(account_id: str, number: int, exec_number: int, part: int) -> str:
    """FIX ExecID (17): unique, for a venue counts its executions of an order."""
    first = f"{account_id}.{number}.{exec_number}"
    return first if part == 1 else f"{first}.{part}"


def rounded(units: int, asset: Asset) -> str:
    """To the asset's minor unit, half to even: what statements show. "10.50", not "10.5"."""
    shown = half_even_div(units, 10 ** max(asset.decimals - asset.minor_decimals, 0))
    sign, digits = "-" if shown < 0 else "", str(abs(shown))
    if not asset.minor_decimals:
        return sign + digits
    digits = digits.rjust(asset.minor_decimals + 1, "0")
    return f"{sign}{digits[: -asset.minor_decimals]}.{digits[-asset.minor_decimals :]}"
