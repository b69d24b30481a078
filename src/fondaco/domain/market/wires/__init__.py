"""Exchanges of which we have recordings: how each one speaks, and how its books are kept. Pure.

None of them was tried live. A recording says which version of the messages was read, so sources are
named after exchange and year ("kraken-2021"), and every answer that shows one says `FORMATS`.
Binance, which has a live feed, is in `market/binance.py`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from fondaco.domain.market.connection import Wire
from fondaco.domain.market.listings import Listing
from fondaco.domain.market.wires import bitstamp, coinbase, kalshi, kraken, polymarket


class Catalogue(Protocol):
    """Reads an exchange's own list of products."""

    def __call__(self, products: bytes, names: Sequence[str], /) -> tuple[Listing, ...]:
        """The listings of `names` ("ETH-USD"), or of everything where there are none."""
        ...


class Exchange(NamedTuple):
    """One exchange in one version of its messages."""

    source: str  # "kraken-2021": the first part of its frames' sources
    format: str  # what a stranger is told of it
    wire: Wire
    listings: Catalogue | None  # None where there is no list: its messages name what there is


def format_of(label: str) -> str:
    """What a stranger is told of a source ("replay:kraken-2021"); "" of one that says itself what
    it is."""
    found = exchange(label.rpartition(":")[2])
    return found.format if found else ""


def exchange(name: str) -> Exchange | None:
    """By the name of a source, which may be one of several ("kraken-2021_2"); None for others."""
    return EXCHANGES.get(name.partition("_")[0])


EXCHANGES: Final = {
    each.source: each
    for each in (
        Exchange(kraken.SOURCE, kraken.FORMAT, kraken.Kraken, kraken.listings),
        Exchange(coinbase.SOURCE, coinbase.FORMAT, coinbase.Coinbase, coinbase.listings),
        Exchange(bitstamp.SOURCE, bitstamp.FORMAT, bitstamp.Bitstamp, bitstamp.listings),
        Exchange(kalshi.SOURCE, kalshi.FORMAT, kalshi.Kalshi, None),
        Exchange(polymarket.SOURCE, polymarket.FORMAT, polymarket.Polymarket, None),
    )
}
