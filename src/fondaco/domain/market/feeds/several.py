"""Several feeds as one: where two name the same instrument, the first goes before the second."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from math import gcd
from typing import Final

from fondaco.domain.market.board import Board
from fondaco.domain.market.connection import REPLAY, Normaliser
from fondaco.domain.market.feeds import Feed
from fondaco.domain.market.intake import Arrival, Clock, Emit
from fondaco.domain.market.listings import Listing, assets_of
from fondaco.domain.market.sources import Part, Sources, names_of
from fondaco.domain.reference.model import Instrument, Symbol, instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import Asset, format_scaled

AGAIN_S: Final = 1.0  # before a feed that died is begun again


def together(feeds: Sequence[Feed]) -> Feed:
    """One feed of several; a single one stays what it is."""
    return feeds[0] if len(feeds) == 1 else SeveralFeed(feeds)


class SeveralFeed:
    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = list(feeds)
        self._names = names_of(each.label for each in feeds)
        self.label = "; ".join(self._names)
        self._instruments = agreed(each for feed in feeds for each in feed.instruments())
        self.listings = tuple(each for feed in feeds for each in feed.listings)
        self._sources: Sources | None = None
        self._died: dict[str, str] = {}  # of what, the last time

    @property
    def trouble(self) -> str:
        """Why the connections that ended did so."""
        found = [str(getattr(each, "trouble", "")) for each in self._feeds]
        found += [f"{name} died of {why}" for name, why in self._died.items()]
        return "; ".join(each for each in found if each)

    def instruments(self) -> tuple[Instrument, ...]:
        return tuple(self._instruments.values())

    def assets(self) -> tuple[Asset, ...]:
        return assets_of(self.listings)

    def wire(self, board: Board, _: Iterable[Listing]) -> Normaliser:
        """Reads every feed by its own wire, on a board of its own."""
        parts = [
            Part(_on_tape(name), each.listings, each.wire)
            for name, each in zip(self._names, self._feeds, strict=True)
        ]
        self._sources = Sources(board, parts)
        return self._sources

    async def run(self, clock: Clock, emit: Emit) -> None:
        """One that dies is begun again after a moment, and takes no other with it."""
        tasks = {self._begin(nth, clock, emit): nth for nth in range(len(self._feeds))}
        try:
            while True:
                ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    nth = tasks.pop(task)
                    self._died[self._names[nth]] = str(task.exception())
                    tasks[self._begin(nth, clock, emit, after_s=AGAIN_S)] = nth
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _begin(
        self, nth: int, clock: Clock, emit: Emit, *, after_s: float = 0.0
    ) -> "asyncio.Task[None]":
        name, feed = self._names[nth], self._feeds[nth]

        async def run() -> None:
            await asyncio.sleep(after_s)
            await feed.run(clock, self._emit(feed.label, name, emit))

        return asyncio.create_task(run(), name=name)

    def _emit(self, label: str, name: str, emit: Emit) -> Emit:
        """What one feed hands over, under the name that it has among the others."""
        was, on_tape = _on_tape(label), _on_tape(name)

        def renamed(arrivals: Iterable[Arrival]) -> Collection[str]:
            if on_tape != was:
                arrivals = [
                    each._replace(source=on_tape + each.source.removeprefix(was))
                    for each in arrivals
                ]
            emit(arrivals)
            return self._sources.wants_of(on_tape) if self._sources else ()

        return renamed


def _on_tape(label: str) -> str:
    """ "replay:binance" begins the sources of its frames as "replay.binance"."""
    return label.replace(f"{REPLAY}:", f"{REPLAY}.", 1)


def agreed(instruments: Iterable[Instrument]) -> dict[Symbol, Instrument]:
    """Each symbol once, in steps that every source's prices and quantities are whole in.

    Raises `Invalid` where a symbol is not the same pair everywhere.
    """
    found: dict[Symbol, Instrument] = {}
    for each in instruments:
        other = found.setdefault(each.symbol, each)
        if other is not each:
            found[each.symbol] = _finer(other, each)
    return found


def _finer(one: Instrument, other: Instrument) -> Instrument:
    if (one.base, one.quote) != (other.base, other.quote):
        raise Invalid(f"{one.symbol} is {one.base}/{one.quote} and {other.base}/{other.quote} too")
    base, quote = assets_of([Listing("", one)])
    return instrument(
        one.symbol,
        base,
        quote,
        tick=_step(one.tick_units, one.px_decimals, other.tick_units, other.px_decimals),
        lot=_step(one.lot_units, one.qty_decimals, other.lot_units, other.qty_decimals),
        maker=one.maker_fee_ppm,
        taker=one.taker_fee_ppm,
    )


def _step(units: int, decimals: int, others: int, other_decimals: int) -> str:
    """The greatest step of which both are multiples, as text."""
    most = max(decimals, other_decimals)
    both = gcd(units * 10 ** (most - decimals), others * 10 ** (most - other_decimals))
    return format_scaled(both, most)
