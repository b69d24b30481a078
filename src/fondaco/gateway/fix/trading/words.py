"""Which FIX field says which word of the house: the tables that read requests and write reports.

docs/fix.md is made from them, so it cannot say anything else than what happens.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol

import msgspec

from fondaco.domain.trading.model import Contingency, OrdStatus, OrdType, Reason, Side, TimeInForce
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import format_scaled

PLACES: Final = 9  # no lot or tick of the house is finer
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

SIDES: Final = {"1": Side.BUY, "2": Side.SELL}
ORD_TYPES: Final = {
    "1": OrdType.MARKET,
    "2": OrdType.LIMIT,
    "3": OrdType.STOP,
    "4": OrdType.STOP_LIMIT,
    "P": OrdType.TRAILING_STOP,
}
TIMES_IN_FORCE: Final = {
    "0": TimeInForce.DAY,
    "1": TimeInForce.GTC,
    "3": TimeInForce.IOC,
    "4": TimeInForce.FOK,
    "6": TimeInForce.GTD,
}
CONTINGENCIES: Final = {"1": Contingency.OCO, "2": Contingency.BRACKET}
ORD_STATUSES: Final = {
    OrdStatus.PENDING_NEW: "A",
    OrdStatus.NEW: "0",
    OrdStatus.PARTIALLY_FILLED: "1",
    OrdStatus.FILLED: "2",
    OrdStatus.PENDING_CANCEL: "6",
    OrdStatus.PENDING_REPLACE: "E",
    OrdStatus.CANCELED: "4",
    OrdStatus.EXPIRED: "C",
    OrdStatus.REJECTED: "8",
    OrdStatus.SUSPENDED: "9",
    OrdStatus.UNKNOWN: "A",  # the venue is silent; Text says so
}
ORD_REJ_REASONS: Final = {
    Reason.DUPLICATE_ORDER: "6",
    Reason.ACCOUNT_UNKNOWN: "15",
    Reason.UNKNOWN_INSTRUMENT: "1",
    Reason.UNSUPPORTED_ORDER: "11",
    Reason.QUANTITY_OFF_LOT: "13",
    Reason.PRICE_OFF_TICK: "18",
    Reason.TRADING_HALTED: "2",
    Reason.MARKET_CLOSED: "2",
    Reason.DUPLICATE_WINDOW: "6",
    Reason.OUTSIDE_COLLAR: "16",
    Reason.LIST_REFUSED: "99",
    Reason.RESTRICTED: "0",
    Reason.NO_MARK: "0",
    Reason.MARKET_QUALITY: "0",
    Reason.REDUCING_ONLY: "0",
    Reason.WOULD_NOT_REDUCE: "0",
}
EXCEEDS: Final = "3"  # OrdRejReason of every rule that measures
CXL_REJ_REASONS: Final = {"too_late": "0", "unknown_order": "1"}


class Readable(Protocol):
    """A message, or one entry of a group."""

    def get(self, tag: int) -> bytes | None: ...
    def text(self, tag: int) -> str | None: ...
    def scaled(self, tag: int, places: int) -> int | None: ...
    def timestamp(self, tag: int) -> int | None: ...


class Mapped(msgspec.Struct, frozen=True):
    """A field that is read: what the house calls it, and how its value becomes ours."""

    tag: int
    name: str
    read: Callable[[Readable, int], Any]
    values: Mapping[str, str] = {}
    note: str = ""


def text(of: Readable, tag: int) -> str | None:
    return of.text(tag)


def amount(of: Readable, tag: int) -> str | None:
    """A decimal as the house writes it: "002000.00" is 2000."""
    units = of.scaled(tag, PLACES)
    return None if units is None else format_scaled(units, PLACES)


def offset(of: Readable, tag: int) -> str | None:
    """A distance: its sign says what the side says already."""
    units = of.scaled(tag, PLACES)
    return None if units is None else format_scaled(abs(units), PLACES)


def moment(of: Readable, tag: int) -> datetime | None:
    at = of.timestamp(tag)
    return None if at is None else _EPOCH + timedelta(microseconds=at // 1_000)


def one_of(values: Mapping[str, Any]) -> Callable[[Readable, int], Any]:
    def read(of: Readable, tag: int) -> Any:
        said = of.text(tag)
        if said is None:
            return None
        if said not in values:
            raise Invalid(f"{tag}={said[:20]} is not served here; {', '.join(values)} are", tag=tag)
        return values[said]

    return read


def has(sign: str) -> Callable[[Readable, int], bool | None]:
    """Whether one of several values, with spaces between them, is this."""

    def read(of: Readable, tag: int) -> bool | None:
        said = of.text(tag)
        return True if said is not None and sign in said.split(" ") else None

    return read


def _mapped(tag: int, name: str, values: Mapping[str, Any], note: str = "") -> Mapped:
    return Mapped(tag, name, one_of(values), {key: str(each) for key, each in values.items()}, note)


# NewOrderSingle (D), and each entry of NewOrderList (E).
ORDER: Final = (
    Mapped(11, "cl_ord_id", text),
    Mapped(1, "account_id", text, note="absent: the session's first account"),
    Mapped(55, "symbol", text),
    _mapped(54, "side", SIDES),
    _mapped(40, "ord_type", ORD_TYPES, "P with PegOffsetValue is a trailing stop"),
    Mapped(38, "order_qty", amount),
    Mapped(152, "cash_order_qty", amount, note="of a market order"),
    Mapped(44, "price", amount),
    Mapped(99, "stop_px", amount),
    Mapped(211, "trail_offset", offset),
    _mapped(59, "time_in_force", TIMES_IN_FORCE, "absent: day"),
    Mapped(126, "expire_time", moment, note="with GoodTillDate"),
    Mapped(111, "display_qty", amount, note="of an iceberg, before FIX 5.0"),
    Mapped(1138, "display_qty", amount, note="of an iceberg"),
    Mapped(110, "min_qty", amount, note="of an order at the midpoint"),
    Mapped(18, "post_only", has("6"), {"6": "true"}),
    Mapped(18, "reduce_only", has("E"), {"E": "true"}),
    Mapped(18, "midpoint", has("M"), {"M": "true"}),
)
# OrderCancelReplaceRequest (G): what is absent stays.
REPLACE: Final = (
    Mapped(11, "cl_ord_id", text, note="names the new terms"),
    Mapped(38, "order_qty", amount, note="all of it, what has executed included"),
    Mapped(44, "price", amount),
    Mapped(99, "stop_px", amount),
)
# OrderMassCancelRequest (q).
MASS_CANCEL: Final = (
    Mapped(1, "account_id", text, note="absent: the session's first account"),
    Mapped(55, "symbol", text, note="with MassCancelRequestType 1"),
    _mapped(54, "side", SIDES, "absent: both"),
)


def read(table: tuple[Mapped, ...], of: Readable) -> dict[str, Any]:
    """What a message says, by the house's words; what it does not say is absent."""
    found = {}
    for each in table:
        value = each.read(of, each.tag)
        if value is not None:
            found[each.name] = value
    return found


class Report(msgspec.Struct, gc=False, kw_only=True):
    """Where an order stands after an entry: FIX ExecutionReport (8). Amounts are decimal text."""

    order_id: str
    account: str
    cl_ord_id: str
    orig_cl_ord_id: str = ""
    symbol: str
    side: str
    ord_type: str = ""
    time_in_force: str = ""
    order_qty: str = ""
    price: str = ""
    stop_px: str = ""
    cum_qty: str = "0"
    leaves_qty: str = "0"
    avg_px: str = "0"
    exec_type: str
    ord_status: str
    exec_id: str
    ref_id: str = ""
    trans: str = ""  # ExecTransType, where the version says it beside another ExecType
    last_qty: str = ""
    last_px: str = ""
    fee: str = ""
    fee_asset: str = ""
    liquidity: str = ""
    mic: str = ""
    reason: str = ""
    restated: str = ""
    text: str = ""
    at: int = 0
    position: int = 0
    is_copy: bool = False
    list_id: str = ""
    mass_status: str = ""
    total: str = ""
    is_last: str = ""
    is_new: bool = False  # an order was accepted, and there is nothing more to it: see `NEW`


class Said(msgspec.Struct, frozen=True):
    """A field that is written: what it says, and how it is made of a report; "" is left out."""

    tag: int
    says: str
    write: Callable[[Report], str]


def utc(at: int) -> str:
    """UTCTimestamp in microseconds, of nanoseconds since 1970."""
    second, rest = divmod(at, 1_000_000_000)
    return f"{_second(second)}.{rest // 1_000:06d}"


@lru_cache(maxsize=64)
def _second(at_s: int) -> str:
    return (_EPOCH + timedelta(seconds=at_s)).strftime("%Y%m%d-%H:%M:%S")


_BACK: Final[dict[str, dict[str, str]]] = {
    name: {str(ours): theirs for theirs, ours in table.items()}
    for name, table in (
        ("side", SIDES),
        ("ord_type", ORD_TYPES),
        ("time_in_force", TIMES_IN_FORCE),
    )
}


TRANS_TYPES: Final = {"I": "3", "H": "1", "G": "2"}  # ExecTransType (20), of what is no new report


def _trans_type(of: Report) -> str:
    return of.trans or TRANS_TYPES.get(of.exec_type, "0")


# ExecutionReport (8), in the order in which it is written. A field that the session's version does
# not have is left out.
REPORT: Final = (
    Said(1, "account_id", lambda of: of.account),
    Said(6, "average price of what has executed", lambda of: of.avg_px),
    Said(11, "cl_ord_id, of the request where it answers one", lambda of: of.cl_ord_id),
    Said(12, "fee of this execution", lambda of: of.fee),
    Said(13, "3: absolute", lambda of: "3" if of.fee else ""),
    Said(14, "cum_qty", lambda of: of.cum_qty),
    Said(17, "journal position; 0 of a status, R… of what no journal has", lambda of: of.exec_id),
    Said(19, "of a trade that is canceled or corrected: its 17", lambda of: of.ref_id),
    Said(20, "FIX 4.2: 0 new, 1 cancel, 2 correct, 3 status", _trans_type),
    Said(30, "mic", lambda of: of.mic if of.last_qty else ""),
    Said(31, "last_px", lambda of: of.last_px),
    Said(32, "last_qty", lambda of: of.last_qty),
    Said(37, "order_id", lambda of: of.order_id),
    Said(38, "order_qty", lambda of: of.order_qty),
    Said(39, "ord_status", lambda of: of.ord_status),
    Said(40, "ord_type", lambda of: _BACK["ord_type"].get(of.ord_type, "")),
    Said(41, "cl_ord_id of the order, where 11 is a request's", lambda of: of.orig_cl_ord_id),
    Said(44, "price", lambda of: of.price),
    Said(54, "side", lambda of: _BACK["side"].get(of.side, "")),
    Said(55, "symbol", lambda of: of.symbol),
    Said(58, "reason and text of a refusal, or what the venue said", lambda of: of.text),
    Said(59, "time_in_force", lambda of: _BACK["time_in_force"].get(of.time_in_force, "")),
    Said(60, "when it was decided", lambda of: utc(of.at) if of.at else ""),
    Said(66, "of the NewOrderList that it came in", lambda of: of.list_id),
    Said(99, "stop_px", lambda of: of.stop_px),
    Said(103, "reason", lambda of: of.reason),
    Said(150, "what happened", lambda of: of.exec_type),
    Said(151, "leaves_qty", lambda of: of.leaves_qty),
    Said(378, "why it was restated", lambda of: of.restated),
    Said(479, "asset of the fee", lambda of: of.fee_asset if of.fee else ""),
    Said(584, "the mass status request that it answers", lambda of: of.mass_status),
    Said(797, "Y: a drop copy", lambda of: "Y" if of.is_copy else ""),
    Said(851, "1 maker, 2 taker", lambda of: of.liquidity),
    Said(911, "reports that answer a mass status request", lambda of: of.total),
    Said(912, "Y: the last of them", lambda of: of.is_last),
)
# What a report of an order that was just accepted has to say, and may have.
NEW: Final = frozenset({1, 6, 11, 14, 17, 20, 37, 38, 39, 40, 44, 54, 55, 59, 60, 150, 151, 797})
# TradeCaptureReport (AE) of one execution, and the one side that its NoSides (552) has.
TRADE: Final = (
    Said(17, "ExecID of its ExecutionReport", lambda of: of.exec_id),
    Said(31, "last_px", lambda of: of.last_px),
    Said(32, "last_qty", lambda of: of.last_qty),
    Said(39, "ord_status after it", lambda of: of.ord_status),
    Said(55, "symbol", lambda of: of.symbol),
    Said(60, "when it was booked", lambda of: utc(of.at)),
    Said(75, "its day", lambda of: utc(of.at)[:8]),
    Said(570, "N: not reported as a trade before", lambda _: "N"),
    Said(571, "the same as 17", lambda of: of.exec_id),
)
TRADE_SIDE: Final = (
    Said(54, "side", lambda of: _BACK["side"].get(of.side, "")),
    Said(37, "order_id", lambda of: of.order_id),
    Said(11, "cl_ord_id", lambda of: of.cl_ord_id),
    Said(1, "account_id", lambda of: of.account),
)
