"""What is said to a counterparty that is a venue, and how its reports are read.

docs/fix-venue.md is made from these tables.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from fondaco.domain.fix.api import OF_APPL_VER_ID, Dictionary, Field, Message, Terms, dictionary
from fondaco.domain.reference.model import Instrument
from fondaco.domain.trading.model import Side, TimeInForce
from fondaco.domain.venues.api import HearReport
from fondaco.gateway.fix.trading.words import PLACES, Readable, utc
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import CommandId, Instant
from fondaco.kernel.money import format_scaled

SIDES: Final = {Side.BUY: "1", Side.SELL: "2"}
TIMES_IN_FORCE: Final = {
    TimeInForce.DAY: "0",
    TimeInForce.GTC: "1",
    TimeInForce.GTD: "1",  # the house cancels it when it is due
    TimeInForce.IOC: "3",
    TimeInForce.FOK: "4",
}
_FILL_STATUS: Final = ("1", "2")  # ExecType of a fill before FIX 4.3
_TRANS_TYPES: Final = {"1": "H", "2": "G", "3": "I"}  # ExecTransType (20): cancel, correct, status


class Said(msgspec.Struct, kw_only=True):
    """A request, in text. "" is left out."""

    cl_ord_id: str
    orig_cl_ord_id: str = ""
    order_id: str = ""
    account: str = ""
    symbol: str
    side: str
    order_qty: str = ""
    price: str = ""
    time_in_force: str = ""
    display_qty: str = ""
    min_qty: str = ""
    exec_inst: str = ""
    at: Instant = Instant(0)


class Row(msgspec.Struct, frozen=True):
    """A field that is sent: what it says, and how it is made."""

    tag: int
    says: str
    write: Callable[[Said], str]


_ACCOUNT: Final = Row(1, "`account` of fix.toml: ours with them", lambda of: of.account)
_CL_ORD_ID: Final = Row(11, "a name of the house's own, never used twice", lambda of: of.cl_ord_id)
_ORDER_ID: Final = Row(37, "theirs, where they have told us", lambda of: of.order_id)
_ORIG: Final = Row(41, "the name that they know the order by", lambda of: of.orig_cl_ord_id)
_SIDE: Final = Row(54, "side", lambda of: of.side)
_SYMBOL: Final = Row(55, "symbol, as they call it", lambda of: of.symbol)
_TIME: Final = Row(60, "when it was decided", lambda of: utc(of.at))
_TERMS: Final = (
    Row(21, "1: no broker intervenes", lambda _: "1"),
    Row(38, "order_qty", lambda of: of.order_qty),
    Row(40, "2: market orders go with their protection as a limit", lambda _: "2"),
    Row(44, "price", lambda of: of.price),
    Row(59, "time_in_force; of a market order 3", lambda of: of.time_in_force),
)
# By MsgType; the rows of each in the order of their tags.
OUT: Final[dict[str, tuple[Row, ...]]] = {
    "D": tuple(
        sorted(
            (
                _ACCOUNT,
                _CL_ORD_ID,
                Row(18, "6: post_only", lambda of: of.exec_inst),
                *_TERMS,
                _SIDE,
                _SYMBOL,
                _TIME,
                Row(110, "min_qty", lambda of: of.min_qty),
                Row(111, "display_qty, before FIX 5.0", lambda of: of.display_qty),
                Row(1138, "display_qty", lambda of: of.display_qty),
            ),
            key=lambda row: row.tag,
        )
    ),
    "F": (
        *(_ACCOUNT, _CL_ORD_ID, _ORDER_ID),
        Row(38, "order_qty", lambda of: of.order_qty),
        *(_ORIG, _SIDE, _SYMBOL, _TIME),
    ),
    "G": tuple(
        sorted(
            (_ACCOUNT, _CL_ORD_ID, _ORDER_ID, _ORIG, *_TERMS, _SIDE, _SYMBOL, _TIME),
            key=lambda row: row.tag,
        )
    ),
    "H": (_ACCOUNT, _CL_ORD_ID, _ORDER_ID, _SIDE, _SYMBOL),
}


class Speaking:
    """How one session's version says it."""

    def __init__(self, terms: Terms) -> None:
        version = terms.id.begin_string
        if version == "FIXT.1.1":
            version = OF_APPL_VER_ID.get(terms.default_appl_ver_id or "9", "FIX.5.0SP2")
        self.dictionary: Dictionary = dictionary(version)
        self._rows: dict[str, list[Row]] = {}
        for msg_type, rows in OUT.items():
            layout = self.dictionary.layout(msg_type)
            members = layout.members if layout else frozenset[int]()
            self._rows[msg_type] = [
                row
                for row in rows
                if row.tag in members and not (row.tag == 111 and 1138 in members)
            ]

    def knows(self, msg_type: str) -> bool:
        return self.dictionary.layout(msg_type) is not None

    def body(self, msg_type: str, said: Said) -> list[Field]:
        found = []
        for row in self._rows[msg_type]:
            value = row.write(said)
            if value:
                found.append((row.tag, value.encode("latin-1", "replace")))
        return found


def report_of(
    message: Message, instrument: Instrument | None, command_id: CommandId, at: Instant
) -> HearReport:
    """An ExecutionReport, as the venue's stream is told it. Never raises for what it says."""
    exec_type = message.text(150) or message.text(39) or ""
    exec_type = _TRANS_TYPES.get(message.text(20) or "", exec_type)
    is_trade = exec_type in ("F", "G", *_FILL_STATUS)
    lots, px, told, wrong = _amounts(message, instrument, is_trade=is_trade)
    terms = {} if is_trade or wrong else _terms(message, instrument)
    return HearReport(
        command_id=command_id,
        at=at,
        cl_ord_id=message.text(11) or "",
        orig_cl_ord_id=message.text(41) or "",
        order_id=_id(message.text(37)),
        exec_id=message.text(17) or "",
        exec_type="F" if exec_type in _FILL_STATUS else exec_type,
        ord_status=message.text(39) or "",
        last_lots=lots,
        last_px=px,
        cum_lots=told,
        is_maker=message.text(851) == "1",
        ref_id=message.text(19) or "",
        text=message.text(58) or "",
        wrong=wrong,
        **terms,
    )


def trade_of(
    message: Message,
    cl_ord_id: str,
    instrument: Instrument | None,
    command_id: CommandId,
    at: Instant,
) -> HearReport:
    """A TradeCaptureReport (AE): one execution that they were asked for again."""
    lots, px, _, wrong = _amounts(message, instrument, is_trade=True)
    return HearReport(
        command_id=command_id,
        at=at,
        cl_ord_id=cl_ord_id,
        order_id=_id(message.text(37)),
        exec_id=message.text(17) or "",
        exec_type="F",
        last_lots=lots,
        last_px=px,
        text=message.text(58) or "",
        wrong=wrong,
    )


def _amounts(
    message: Message, instrument: Instrument | None, *, is_trade: bool
) -> tuple[int, int, int, str]:
    """Lots and price of the execution, lots executed in all (-1: not said), and what is wrong."""
    if instrument is None:
        return 0, 0, -1, f"{(message.text(55) or '')[:40]} is not routed to them"
    try:
        told = _lots(message, 14, instrument)
        cum = -1 if told is None else told
        if not is_trade:
            return 0, 0, cum, ""
        return _lots(message, 32, instrument) or 0, _ticks(message, 31, instrument) or 0, cum, ""
    except Invalid as error:
        return 0, 0, -1, error.message


def _terms(message: Message, instrument: Instrument | None) -> dict[str, int]:
    """OrderQty and Price, of a report on new terms."""
    if instrument is None:
        return {}
    try:
        lots, px = _lots(message, 38, instrument), _ticks(message, 44, instrument)
    except Invalid:  # of an answer: what was asked for is known
        return {}
    return {"lots": lots or 0, "px": px or 0}


def _lots(of: Readable, tag: int, instrument: Instrument) -> int | None:
    text = _decimal(of, tag)
    return None if text is None else instrument.lots(text, f"{tag} (qty)")


def _ticks(of: Readable, tag: int, instrument: Instrument) -> int | None:
    text = _decimal(of, tag)
    return None if text is None else instrument.ticks(text, f"{tag} (price)")


def _decimal(of: Readable, tag: int) -> str | None:
    units = of.scaled(tag, PLACES)
    return None if units is None else format_scaled(units, PLACES)


def _id(text: str | None) -> str:
    return "" if text is None or text == "NONE" else text
