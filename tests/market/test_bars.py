"""Bars equal their definition: a recomputation from the list of trades."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.domain.market.bars import INTERVALS, SECOND, Bars, bars_of
from fondaco.domain.market.model import Trade
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import Instant
from market.exchange import BTC


def traded(event_at: int, px: int = 100, qty: int = 1, *, buys: bool = True) -> Trade:
    at = Instant(event_at)
    return Trade(BTC, px, qty, "buy" if buys else "sell", 1, at, at, "binance")


# Mostly forward in time, by less and by more than an interval, and sometimes back.
STEPS = (
    st.integers(0, 3 * SECOND) | st.integers(-20 * SECOND, 100 * SECOND) | st.integers(0, 10**14)
)


@st.composite
def trades(draw: st.DrawFn) -> list[Trade]:
    at, made = 10**18, []
    for step in draw(st.lists(STEPS, max_size=60)):
        at = max(at + step, 0)
        px, qty = draw(st.integers(1, 50)), draw(st.integers(1, 9))
        made.append(traded(at, px, qty, buys=draw(st.booleans())))
    return made


@given(made=trades())
def test_bars_equal_a_recomputation_from_the_trades(made: list[Trade]) -> None:
    bars = Bars()
    for each in made:
        bars.add(each)
    for interval, length in INTERVALS.items():
        assert bars.last(interval, 10**6) == bars_of(made, length)


@given(made=trades(), kept=st.integers(1, 8))
def test_only_the_newest_bars_are_kept(made: list[Trade], kept: int) -> None:
    bars = Bars(kept)
    for each in made:
        bars.add(each)
    for interval, length in INTERVALS.items():
        rows, whole = bars.last(interval, 10**6), bars_of(made, length)
        assert [bar.start for bar in rows] == [bar.start for bar in whole][-kept:]
        assert bars.last(interval, 2) == rows[-2:]


def test_a_bar_is_what_its_trades_were() -> None:
    bars = Bars()
    for at, px, qty, buys in [
        (0, 5, 1, True),
        (1, 9, 2, False),
        (2, 3, 4, True),
        (59, 7, 8, False),
    ]:
        bars.add(traded(at * SECOND, px, qty, buys=buys))
    bars.add(traded(60 * SECOND, 8))
    first, second = bars.last("1m", 10)
    assert (first.start, first.open, first.high, first.low, first.close) == (0, 5, 9, 3, 7)
    assert (first.volume, first.buy_volume, first.trades) == (15, 5, 4)
    assert (second.start, second.close) == (60 * SECOND, 8)


def test_a_trade_older_than_everything_kept_is_counted_as_late() -> None:
    bars = Bars(kept=2)
    for at in (100, 101, 102, 5):
        bars.add(traded(at * SECOND))
    assert [bar.start for bar in bars.last("1s", 9)] == [101 * SECOND, 102 * SECOND]
    assert bars.late == 1


@given(made=trades(), cut=st.integers(0, 60))
def test_bars_that_come_back_go_on_as_if_nothing_had_happened(made: list[Trade], cut: int) -> None:
    """What has changed since the last look, put into another process's bars, is all there is."""
    whole, back, seen = Bars(), Bars(), {}
    for each in made[:cut]:
        whole.add(each)
    for interval, found in whole.since({}).items():
        back.restore(interval, found)
        seen[interval] = found[-1].start
    for each in made[cut:]:
        whole.add(each)
        back.add(each)
    for interval in INTERVALS:
        assert back.last(interval, 9_999) == whole.last(interval, 9_999)
    late = {name: bars for name, bars in whole.since(seen).items() if name in seen}
    for interval, found in late.items():
        newer = [bar for bar in whole.last(interval, 9_999) if bar.start >= seen[interval]]
        assert found == newer


@pytest.mark.parametrize("interval", ["", "2m", "1M", "1s "])
def test_an_interval_there_is_not_is_refused(interval: str) -> None:
    with pytest.raises(Invalid, match="must be one of 1s, 1m, 5m, 15m, 1h, 1d"):
        Bars().last(interval, 1)
