"""What the feeds list: the exchange's name of an instrument, and what it is in this house."""

import re
from collections.abc import Iterable
from typing import Final

import msgspec

from fondaco.domain.reference.model import EVENT as EVENT
from fondaco.domain.reference.model import FeeFormula, Instrument, Symbol, instrument
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
CASH: Final = frozenset(["USD", "EUR", "GBP", "CHF", "JPY", "AUD", "CAD", "USDT", "USDC", "DAI"])
CASH_DECIMALS: Final = 8
CRYPTO_DECIMALS: Final = 9
EVENT_DECIMALS: Final = 6
_EVENT_CODE: Final = re.compile(r"EV[0-9A-F]{12}")


def asset(code: str) -> Asset:
    """What we take a code on an exchange's list for: money and what promises to be, or a coin."""
    known = ASSETS.get(AssetCode(code))
    if known is not None:
        return known
    if code in CASH:
        return Asset(AssetCode(code), CASH_DECIMALS, 2, "cash")
    if _EVENT_CODE.fullmatch(code):
        return Asset(AssetCode(code), EVENT_DECIMALS, 2, EVENT)
    return Asset(AssetCode(code), CRYPTO_DECIMALS, 8, "crypto")


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


def listing(name: str, base: str, quote: str, *, px_decimals: int, qty_decimals: int) -> Listing:
    """A pair off an exchange's own list, traded in steps of the last of these decimals."""
    return Listing(
        name,
        instrument(
            f"{base}-{quote}",
            asset(base),
            asset(quote),
            tick=_step(px_decimals),
            lot=_step(qty_decimals),
            maker=MAKER_PPM,
            taker=TAKER_PPM,
        ),
    )


def event_listing(
    name: str,
    symbol: str,
    code: str,
    quote: str,
    *,
    px_decimals: int,
    qty_decimals: int,
    formula: FeeFormula,
    maker: int = 0,
    taker: int = 0,
) -> Listing:
    """A contract that pays one `quote` or nothing; `code` is what its holders own."""
    return Listing(
        name,
        instrument(
            symbol,
            asset(code),
            asset(quote),
            tick=_step(px_decimals),
            lot=_step(qty_decimals),
            maker=maker,
            taker=taker,
            fee_formula=formula,
        ),
    )


def _step(decimals: int) -> str:
    return f"0.{'1'.rjust(decimals, '0')}" if decimals else "1"


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
    return tuple(asset(code) for code in codes)
