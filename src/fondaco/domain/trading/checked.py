"""What each measuring rule was about when an order came: its limit, what of it was used, what the
order asked for, and what was left before it.

An event keeps what was left. The limits of that day come from the journal: the house's as of the
version that the decision was given, or the account's own, which it may have set since.
"""

from typing import Final

import msgspec

from fondaco.domain.reference.events import LimitsChanged
from fondaco.domain.reference.model import HOUSE_STREAM, Instrument
from fondaco.domain.trading import events as ev
from fondaco.domain.trading.model import Headroom, Limits, Side
from fondaco.domain.trading.replies import Terms
from fondaco.kernel.event import Entry
from fondaco.kernel.money import format_scaled
from fondaco.ports.journal import Journal

OFF: Final = -1
LOOKED_AT_MAX: Final = 20_000  # entries of an account, for limits of its own
_STEP: Final = 2_000
_WHOLE: Final = frozenset({"qty", "notional", "power", "margin"})  # left is all that there is
_COUNTS: Final = {"orders": "orders", "open_positions": "positions", "open_lots": "lots"}
LOT_DECIMALS: Final = 4


class RuleLine(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, kw_only=True):
    """Numbers as text, all in `unit`. `limit` and `used` are before the order; absent where no
    limit of that day is known. `asked` is the order's own part, where it is one number."""

    name: str
    unit: str
    left: str
    limit: str | None = None
    used: str | None = None
    asked: str | None = None


def limits_then(journal: Journal, entry: Entry) -> Limits | None:
    """Those that the decision behind `entry` was given; None where that would be a long search."""
    if entry.version > LOOKED_AT_MAX:
        return None
    own: Limits | None = None
    version = 0
    while version < entry.version - 1:
        some = journal.read(entry.stream, version, _STEP)
        if not some:
            break
        for each in some:
            if each.version < entry.version and isinstance(each.event, ev.LimitsSet):
                own = each.event.limits
        version = some[-1].version
    if own is not None:
        return own
    found = Limits()
    for each in journal.read(HOUSE_STREAM, 0, entry.refs_version):
        if isinstance(each.event, LimitsChanged):
            found = each.event.limits
    return found


def rule_lines(
    entry: Entry, limits: Limits | None, printing: Terms, currency: str
) -> list[RuleLine]:
    """Every measuring rule that was on, in the order in which they are looked at. `currency` is the
    account's."""
    event = entry.event
    if isinstance(event, ev.OrderAccepted):
        left, symbol, side = event.headroom, event.order.symbol, event.order.side
    elif isinstance(event, ev.OrderRejected) and event.headroom != Headroom():
        left, symbol, side = event.headroom, event.symbol, event.side
    else:
        return []
    of = printing.instrument(symbol)
    reading = _Reading(of, side, limits, printing, currency or of.quote)
    return [
        reading.line(name, getattr(left, name), event, left)
        for name in left.__struct_fields__
        if getattr(left, name) != OFF
    ]


class _Reading:
    """One order's terms, to put numbers into words with."""

    def __init__(
        self, of: Instrument, side: Side, limits: Limits | None, printing: Terms, currency: str
    ) -> None:
        self._of = of
        self._side = side
        self._limits = limits
        self._printing = printing
        self._currency = currency

    def line(self, name: str, left: int, event: object, all_left: Headroom) -> RuleLine:
        payer = self._payer(all_left)
        limit = left if name in _WHOLE else self._limit(name)
        if limit is not None and limit < left:  # a limit that was taken back since, or is not ours
            limit = None
        asked = self._asked(name, event, payer)
        return RuleLine(
            name=name,
            unit=self._unit(name, payer),
            left=self._text(name, left, payer),
            limit=None if limit is None else self._text(name, limit, payer),
            used=None if limit is None else self._text(name, limit - left, payer),
            asked=None if asked is None else self._text(name, asked, payer),
        )

    def _payer(self, left: Headroom) -> str:
        """The asset of buying power: a buy pays with the quote asset, and on margin nothing does
        but what closes a position."""
        of = self._of
        return str(of.quote if self._side is Side.BUY and left.margin < 0 else of.base)

    def _limit(self, name: str) -> int | None:
        limits = self._limits
        if limits is None:
            return None
        of = self._of
        found = {
            "position": limits.position_max.get(of.symbol, 0),
            "concentration": limits.concentration_max_bps,
            "class_concentration": limits.class_concentration_max_bps.get(of.asset_class, 0),
            "issuer_concentration": limits.issuer_concentration_max_bps,
            "venue_concentration": limits.venue_concentration_max_bps,
            "daily_loss": limits.daily_loss_max,
            "orders": limits.orders_max,
            "notional_rate": limits.notional_max,
        }.get(name, 0)
        return found or None

    def _asked(self, name: str, event: object, payer: str) -> int | None:
        if not isinstance(event, ev.OrderAccepted):
            return None
        order = event.order
        match name:
            case "qty" | "position":
                return order.lots
            case "notional" | "notional_rate":
                return event.notional or None
            case "orders":
                return 1
            case "power":
                held = self._of.quote if order.side is Side.BUY or order.ref_px else self._of.base
                return order.hold if held == payer else None
        return None

    def _unit(self, name: str, payer: str) -> str:
        if name in ("qty", "position"):
            return str(self._of.base)
        if name == "collar":
            return str(self._of.quote)
        if name in _COUNTS:
            return _COUNTS[name]
        if name.endswith("concentration"):
            return "bps"
        return payer if name == "power" else self._currency

    def _text(self, name: str, value: int, payer: str) -> str:
        if name in ("qty", "position"):
            return self._of.qty_text(value)
        if name == "collar":
            return self._of.px_text(value)
        if name == "open_lots":
            return format_scaled(value, LOT_DECIMALS)
        if name in _COUNTS or name.endswith("concentration"):
            return str(value)
        asset = self._printing.asset(payer if name == "power" else self._currency)
        return format_scaled(value, asset.decimals)
