"""What accounts are given: rates from marks, through pegs or their markets, exactly."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market.model import Mark, Quality
from fondaco.domain.reference.model import (
    HouseState,
    Instrument,
    Limits,
    Session,
    Symbol,
    TradingState,
    instrument,
)
from fondaco.domain.trading.model import TradingRefs
from fondaco.domain.trading.refs import refresh, refs_of, roll_session, update_rates
from fondaco.kernel.event import Instant
from fondaco.kernel.money import Asset, AssetCode

DAY_NS = 86_400_000_000_000
NOON = Instant(20_000 * DAY_NS + DAY_NS // 2)
ASSETS = {
    AssetCode(code): Asset(AssetCode(code), decimals, 2, "any")
    for code, decimals in [("USD", 8), ("USDT", 6), ("BTC", 9), ("ETH", 9), ("EUR", 8)]
}


def pair(symbol: str, *, tick: str = "0.01", lot: str = "0.001") -> Instrument:
    base, quote = symbol.split("-")
    return instrument(symbol, ASSETS[AssetCode(base)], ASSETS[AssetCode(quote)], tick=tick, lot=lot)


def house(*symbols: str, **changed: object) -> HouseState:
    state = HouseState(
        version=3,
        instruments={Symbol(each): pair(each) for each in symbols},
        assets=ASSETS,
    )
    for name, value in changed.items():
        setattr(state, name, value)
    return state


def mark(symbol: str, px: int, quality: Quality = Quality.OK) -> Mark:
    return Mark(Symbol(symbol), px, quality, "test", 1, NOON)


def move(refs: TradingRefs, symbol: str, px: int) -> None:
    refs.marks[Symbol(symbol)] = mark(symbol, px)
    update_rates(refs, refs.marks[Symbol(symbol)])


def worth(refs: TradingRefs, code: str) -> Fraction | None:
    """Of one whole unit, in USD."""
    rate = refs.rates.get(AssetCode(code))
    if rate is None:
        return None
    whole: int = 10 ** ASSETS[AssetCode(code)].decimals
    return Fraction(rate.num, rate.den) * whole / 10**8


@pytest.mark.parametrize(
    ("symbols", "moves", "expected"),
    [
        (["BTC-USD"], [("BTC-USD", 5_000_001)], {"BTC": "50000.01", "USD": "1", "USDT": "1"}),
        # At par while USDT has no market here, and by its market once there is one.
        (["BTC-USDT"], [("BTC-USDT", 5_000_000)], {"BTC": "50000"}),
        (
            ["BTC-USDT", "USDT-USD"],
            [("BTC-USDT", 5_000_000), ("USDT-USD", 98)],
            {"BTC": "49000", "USDT": "0.98"},
        ),
        (
            ["BTC-USDT", "USDT-USD"],
            [("USDT-USD", 98), ("BTC-USDT", 5_000_000)],
            {"BTC": "49000", "USDT": "0.98"},
        ),
        # A market in the currency itself goes before others, in whichever order they move.
        (
            ["BTC-USD", "BTC-USDT"],
            [("BTC-USDT", 1), ("BTC-USD", 5_000_000), ("BTC-USDT", 2)],
            {"BTC": "50000"},
        ),
        # … and one in a pegged asset before any third.
        (
            ["BTC-USD", "ETH-BTC", "ETH-USDT"],
            [("BTC-USD", 5_000_000), ("ETH-BTC", 5), ("ETH-USDT", 260_000), ("ETH-BTC", 6)],
            {"ETH": "2600"},
        ),
        (
            ["BTC-USD", "ETH-BTC"],
            [("BTC-USD", 5_000_000), ("ETH-BTC", 5)],
            {"ETH": "2500"},
        ),
        # What nothing rates has no rate; what is not listed is not asked.
        (["BTC-EUR"], [("BTC-EUR", 5_000_000)], {"BTC": None, "EUR": None}),
        (["BTC-USD"], [("ETH-USD", 5), ("BTC-USD", 0)], {"ETH": None, "BTC": None}),
        (["USD-EUR"], [("USD-EUR", 5)], {"USD": "1"}),
    ],
)
def test_an_asset_is_worth_what_its_best_market_says(
    symbols: list[str], moves: list[tuple[str, int]], expected: dict[str, str | None]
) -> None:
    refs = refs_of(house(*symbols), {}, NOON)
    for symbol, px in moves:
        move(refs, symbol, px)
    found = {code: worth(refs, code) for code in expected}
    assert found == {code: text and Fraction(text) for code, text in expected.items()}


def test_a_rate_says_which_mark_it_comes_from() -> None:
    refs = refs_of(house("BTC-USDT"), {}, NOON)
    move(refs, "BTC-USDT", 5_000_000)
    assert refs.rates[AssetCode("BTC")].mark == mark("BTC-USDT", 5_000_000)
    assert refs.rates[AssetCode("USD")].mark is None
    assert refs.rates[AssetCode("USDT")].mark is None


@given(st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_rate_values_a_lot_as_the_instrument_does(px: int, lots: int) -> None:
    refs = refs_of(house("BTC-USD"), {}, NOON)
    move(refs, "BTC-USD", px)
    rate, btc_usd = refs.rates[AssetCode("BTC")], refs.instruments[Symbol("BTC-USD")]
    assert Fraction(rate.num, rate.den) * lots * btc_usd.base_per_lot == Fraction(
        px * lots * btc_usd.cost_num, btc_usd.cost_den
    )


def test_refs_follow_the_house() -> None:
    marks = {Symbol("BTC-USD"): mark("BTC-USD", 5_000_000)}
    state = house()
    refs = refs_of(state, marks, NOON)
    assert worth(refs, "BTC") is None
    assert refs.marks is marks
    halted, symbol = TradingState.HALTED, Symbol("BTC-USD")
    later = house("BTC-USD", version=9, limits=Limits(collar_bps=7), killed="test")
    later.states, later.restricted = {symbol: TradingState.REDUCING}, frozenset({symbol})
    refresh(refs, later, NOON)
    assert (refs.version, refs.limits, refs.state) == (9, Limits(collar_bps=7), halted)
    assert (refs.states, refs.restricted) == (later.states, later.restricted)
    assert refs.instruments == later.instruments
    assert worth(refs, "BTC") == 50_000, "a mark that was there before the listing"


def test_the_session_rolls_with_the_clock_and_with_its_rules() -> None:
    refs = refs_of(house(), {}, NOON)
    assert (refs.session_day, refs.session_closes_at) == (20_000, 20_001 * DAY_NS)
    assert not roll_session(refs, Instant(refs.session_closes_at - 1))
    assert roll_session(refs, refs.session_closes_at)
    assert (refs.session_day, refs.session_closes_at) == (20_001, 20_002 * DAY_NS)
    refresh(refs, house(session=Session("Asia/Tokyo", 0)), NOON)
    assert refs.session_closes_at == 20_000 * DAY_NS + DAY_NS * 15 // 24
