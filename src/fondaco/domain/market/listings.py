"""What the feeds list: the exchange's name of an instrument, and what it is in this house."""

from collections.abc import Iterable
from typing import Final

import msgspec

from fondaco.domain.reference.model import Instrument, Symbol, instrument
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import Asset, AssetCode

MAKER_PPM: Final = 200
TAKER_PPM: Final = 500

USD: Final = Asset(AssetCode("USD"), 8, 2, "cash")
USDT: Final = Asset(AssetCode("USDT"), 8, 2, "cash")
BTC: Final = Asset(AssetCode("BTC"), 9, 8, "crypto")
ETH: Final = Asset(AssetCode("ETH"), 9, 8, "crypto")
SOL: Final = Asset(AssetCode("SOL"), 9, 8, "crypto")
ASSETS: Final = {asset.code: asset for asset in (USD, USDT, BTC, ETH, SOL)}


class Listing(msgspec.Struct, frozen=True, gc=False):
    """One line of an exchange's list: "BTCUSDT" there is BTC-USDT here."""

    name: str
    instrument: Instrument

    @property
    def symbol(self) -> Symbol:
        return self.instrument.symbol


def _listing(base: Asset, quote: Asset, lot: str) -> Listing:
    return Listing(
        f"{base.code}{quote.code}",
        instrument(
            f"{base.code}-{quote.code}",
            base,
            quote,
            tick="0.01",
            lot=lot,
            maker=MAKER_PPM,
            taker=TAKER_PPM,
        ),
    )


LISTINGS: Final = {
    each.name: each
    for quote in (USD, USDT)
    for each in (
        _listing(BTC, quote, "0.00001"),
        _listing(ETH, quote, "0.0001"),
        _listing(SOL, quote, "0.001"),
    )
}


def listed(names: Iterable[str]) -> tuple[Listing, ...]:
    """Raises `Invalid` for a name that this house has no tick and lot for."""
    found = []
    for name in names:
        listing = LISTINGS.get(name.upper())
        if listing is None:
            raise Invalid(f"{name[:40]!r} is not listed, must be one of {', '.join(LISTINGS)}")
        if listing not in found:
            found.append(listing)
    return tuple(found)


def assets_of(listings: Iterable[Listing]) -> tuple[Asset, ...]:
    codes = dict.fromkeys(
        code for each in listings for code in (each.instrument.base, each.instrument.quote)
    )
    return tuple(ASSETS[code] for code in codes)
