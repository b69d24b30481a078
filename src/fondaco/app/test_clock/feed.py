"""The market of a sandbox: prices stay as they are until somebody makes up others.

It speaks the exchange's own wire, as every feed does: one level a side, deep enough for anybody.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from fondaco.domain.identity.test_clock.model import Posted
from fondaco.domain.market.binance import Binance
from fondaco.domain.market.connection import MS, notice
from fondaco.domain.market.feeds.synthetic import SHAPES
from fondaco.domain.market.intake import Arrival, Clock, Emit
from fondaco.domain.market.listings import Listing, assets_of, listed
from fondaco.domain.reference.model import Instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from fondaco.kernel.money import Asset, parse_scaled

SOURCE: Final = "scripted"
DEPTH: Final = "1000000"  # of the base asset, a side


class ScriptedFeed:
    """Quotes begin where the synthetic market's do."""

    def __init__(self) -> None:
        self.label = SOURCE
        self.wire = Binance
        self.listings = listed(SHAPES)
        self.opened = asyncio.Event()
        self._by_symbol: dict[str, Listing] = {each.symbol: each for each in self.listings}
        self._quoted: dict[str, tuple[str, str]] = {}
        for each in self.listings:
            px, text = SHAPES[each.name].anchor, each.instrument.px_text
            self._quoted[each.symbol] = text(px), text(px + 1)
        self._last_ids = dict.fromkeys(self._by_symbol, 1)  # of each book's last update
        self._emit: Emit | None = None

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(each.instrument for each in self.listings)

    def assets(self) -> tuple[Asset, ...]:
        return assets_of(self.listings)

    def restore(self, quotes: Mapping[str, Posted]) -> None:
        """What was quoted last; before anybody runs it."""
        for symbol, each in quotes.items():
            if symbol in self._by_symbol:
                self._quoted[symbol] = each.bid, each.ask

    def read(self, symbol: str, bid: str, ask: str) -> tuple[str, str]:
        """Both prices as they are quoted. Raises `Invalid` for what nobody could quote."""
        listing = self._by_symbol.get(symbol)
        if listing is None:
            names = ", ".join(sorted(self._by_symbol))
            raise Invalid(f"symbol is {symbol[:40]!r}, must be one of {names}")
        each = listing.instrument
        found = []
        for name, text in (("bid", bid), ("ask", ask)):
            units = parse_scaled(text, each.px_decimals, name)
            if units <= 0 or units % each.tick_units:
                raise Invalid(f"{name} is {text[:40]!r}, must be a price of {symbol} above 0")
            found.append(units // each.tick_units)
        if found[0] >= found[1]:
            raise Invalid(f"bid is {bid[:40]}, must be below ask, which is {ask[:40]}")
        return each.px_text(found[0]), each.px_text(found[1])

    def post(self, price: Posted, at: Instant) -> None:
        """Quote it, at once."""
        if self._emit is None:
            raise Invalid("the market has not begun yet")
        before = self._quoted[price.symbol]
        self._quoted[price.symbol] = after = price.bid, price.ask
        last_id = self._last_ids[price.symbol] = self._last_ids[price.symbol] + 1
        bids, asks = (_moved(old, new) for old, new in zip(before, after, strict=True))
        update = {
            "e": "depthUpdate",
            "E": at // MS,
            "s": self._by_symbol[price.symbol].name,
            "U": last_id,
            "u": last_id,
            "b": bids,
            "a": asks,
        }
        stream = f"{self._by_symbol[price.symbol].name.lower()}@depth@100ms"
        self._emit([Arrival(SOURCE, at, msgspec.json.encode({"stream": stream, "data": update}))])

    async def run(self, clock: Clock, emit: Emit) -> None:
        """Begin, and say nothing of one's own."""
        at = clock()
        arrivals = [Arrival(f"{SOURCE}.house", at, notice("reset", reason="start"))]
        for symbol, (bid, ask) in self._quoted.items():
            snapshot: dict[str, Any] = {
                "lastUpdateId": self._last_ids[symbol],
                "bids": [(bid, DEPTH)],
                "asks": [(ask, DEPTH)],
            }
            name = self._by_symbol[symbol].name
            arrivals.append(Arrival(f"{SOURCE}.{name}", at, msgspec.json.encode(snapshot)))
        emit(arrivals)
        self._emit = emit
        self.opened.set()
        await asyncio.Event().wait()


def _moved(old: str, new: str) -> list[tuple[str, str]]:
    gone = [(old, "0")] if old != new else []
    return [*gone, (new, DEPTH)]
