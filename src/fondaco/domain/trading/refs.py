"""What accounts are given besides state and command, put together from the house and the market.

One `TradingRefs` serves every account and lives as long as the process. Its `marks` are the board's
own dictionary; `refresh` follows the house's stream, `update_rates` every mark that moves, and
`roll_session` the clock. All three are called between turns, on the loop's thread.
"""

from math import gcd

from msgspec.structs import replace

from fondaco.domain.market.model import Mark
from fondaco.domain.reference.api import session_day_and_close, settlements
from fondaco.domain.reference.model import (
    PEGS,
    HouseState,
    Instrument,
    InstrumentKind,
    NewsItem,
    Symbol,
)
from fondaco.domain.trading.model import Rate, TradingRefs
from fondaco.kernel.event import Instant
from fondaco.kernel.money import AssetCode

CURRENCY = AssetCode("USD")


def refs_of(
    house: HouseState, marks: dict[Symbol, Mark], now: Instant, *, currency: AssetCode = CURRENCY
) -> TradingRefs:
    """The refs as they are now. `marks` is kept, and read ever after."""
    refs = TradingRefs(
        version=house.version,
        assets=house.assets,
        instruments=_routed(house),
        limits=house.limits,
        marks=marks,
        rates={},
        currency=currency,
    )
    refresh(refs, house, now)
    return refs


def refresh(refs: TradingRefs, house: HouseState, now: Instant) -> None:
    """Take over what the house has decided since."""
    refs.version = house.version
    refs.assets = house.assets
    refs.instruments = _routed(house)
    refs.limits = house.limits
    refs.state = house.effective_state
    refs.states = house.states
    refs.restricted = house.restricted
    refs.margins, refs.haircuts = house.margins, house.haircuts
    refs.margin_rules = house.margin_rules
    refs.contracts = house.contracts
    refs.swaps = house.swaps
    group(refs)
    if refs.announced is not house.news or refs.news.keys() != refs.instruments.keys():
        refs.announced, refs.news = house.news, by_instrument(house.news, refs.instruments)
    if refs.session != house.session or not refs.session_closes_at:
        refs.session = house.session
        refs.session_closes_at = Instant(0)
        roll_session(refs, now)
    elif _calendars(refs) != set(refs.settles_by):
        _settle(refs, now)
    _par(refs)
    for mark in list(refs.marks.values()):
        update_rates(refs, mark)


def by_instrument(
    news: dict[str, NewsItem], instruments: dict[Symbol, Instrument]
) -> dict[Symbol, tuple[NewsItem, ...]]:
    """Which announcements touch each instrument, in the order of their time."""
    ranked = sorted(news.values(), key=lambda each: (each.at, each.news_id))
    return {
        symbol: tuple(each for each in ranked if each.touches(instrument))
        for symbol, instrument in instruments.items()
    }


def _routed(house: HouseState) -> dict[Symbol, Instrument]:
    """The instruments, each with the venue that its orders go to now."""
    if not house.routes:
        return house.instruments
    return {
        symbol: replace(each, mic=house.routes[symbol]) if symbol in house.routes else each
        for symbol, each in house.instruments.items()
    }


def group(refs: TradingRefs) -> None:
    """Work out again what is looked up by asset, by issuer and by venue."""
    homes: dict[AssetCode, Symbol] = {}
    by_issuer: dict[str, dict[AssetCode, bool]] = {}
    by_venue: dict[str, dict[AssetCode, bool]] = {}
    ranked = sorted(
        refs.instruments.values(),
        key=lambda i: (i.symbol not in refs.margins, i.quote != refs.currency, i.symbol),
    )
    for each in ranked:
        if each.kind is InstrumentKind.SPOT:
            by_venue.setdefault(each.mic, {})[each.base] = True
            homes.setdefault(each.base, each.symbol)
            if each.issuer:
                by_issuer.setdefault(each.issuer, {})[each.base] = True
    refs.homes = homes
    refs.by_issuer = {name: tuple(found) for name, found in by_issuer.items()}
    refs.by_venue = {mic: tuple(found) for mic, found in by_venue.items()}


def roll_session(refs: TradingRefs, now: Instant) -> bool:
    """Open the session of `now`; whether that is another day than before. Cheap to ask often."""
    if refs.session_closes_at and now < refs.session_closes_at:
        return False
    before = refs.session_day
    refs.session_day, refs.session_closes_at = session_day_and_close(now, refs.session)
    _settle(refs, now)
    return refs.session_day != before


def _settle(refs: TradingRefs, now: Instant) -> None:
    """Work out again when what is traded now settles; by "" when every day is one of business."""
    by = settlements(now, refs.session, {"", *_calendars(refs)})
    refs.settles_at = by.pop("")
    refs.settles_by = by


def _calendars(refs: TradingRefs) -> set[str]:
    return {each.calendar for each in refs.instruments.values() if each.calendar}


def update_rates(refs: TradingRefs, mark: Mark) -> None:
    """Work out again what the mark's base asset is worth in the currency of the accounts.

    A market in the currency itself is preferred to one in another quote asset, whose own rate is
    then taken: its market's, or its peg. A rate is kept while there is nothing newer, and its mark
    says how good that is.
    """
    instrument = refs.instruments.get(mark.symbol)
    if instrument is None or mark.px <= 0 or instrument.kind is not InstrumentKind.SPOT:
        return  # what a contract trades at is not what its base asset is worth
    if instrument.quote == refs.currency:
        num, den = mark.px * instrument.cost_num, instrument.cost_den * instrument.base_per_lot
        refs.rates[instrument.base] = Rate(num, den, mark)
        if instrument.base in PEGS:
            _through(refs, instrument.base)
    elif _is_ours_to_rate(refs, instrument):
        _convert(refs, instrument, mark)


def _is_ours_to_rate(refs: TradingRefs, instrument: Instrument) -> bool:
    """Whether no better market than this one rates the base asset; the first of equals stays."""
    if instrument.base == refs.currency:
        return False
    rate = refs.rates.get(instrument.base)
    if rate is None or rate.mark is None or rate.mark.symbol == instrument.symbol:
        return True
    rated_by = refs.instruments.get(rate.mark.symbol)
    return rated_by is None or _rank(refs, instrument.quote) < _rank(refs, rated_by.quote)


def _rank(refs: TradingRefs, quote: AssetCode) -> int:
    return 0 if quote == refs.currency else 1 if quote in PEGS else 2


def _convert(refs: TradingRefs, instrument: Instrument, mark: Mark) -> None:
    quote = refs.rates.get(instrument.quote)
    if quote is None:
        return
    num = mark.px * instrument.cost_num * quote.num
    den = instrument.cost_den * instrument.base_per_lot * quote.den
    common = gcd(num, den)
    refs.rates[instrument.base] = Rate(num // common, den // common, mark)


def _through(refs: TradingRefs, quote: AssetCode) -> None:
    """A quote asset has another rate: so have those that are rated by markets in it."""
    for instrument in refs.instruments.values():
        if instrument.quote == quote and instrument.kind is InstrumentKind.SPOT:
            mark = refs.marks.get(instrument.symbol)
            if mark is not None and mark.px > 0 and _is_ours_to_rate(refs, instrument):
                _convert(refs, instrument, mark)


def _par(refs: TradingRefs) -> None:
    """The currency itself, and what is pegged to it where no market says otherwise."""
    refs.rates[refs.currency] = Rate(1, 1)
    for code, pegged_to in PEGS.items():
        asset, anchor = refs.assets.get(code), refs.assets.get(pegged_to)
        if pegged_to == refs.currency and asset is not None and code not in refs.rates:
            # Where the currency trades in no market here, it is kept at 8 decimals, as USD is.
            decimals = asset.decimals - (8 if anchor is None else anchor.decimals)
            refs.rates[code] = Rate(10 ** max(-decimals, 0), 10 ** max(decimals, 0))
