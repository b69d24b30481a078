"""What a house's own margin leaves of a tier's leverage."""

import msgspec
import pytest

import build as b
from build import BTC_USD, ETH_USD
from fondaco.app.tier_fit import misfits
from fondaco.domain.evaluation.lines import line_of
from fondaco.domain.evaluation.reading import text_of, tier_of
from fondaco.domain.reference.model import Margin

RATES = b.tiers((0, 33_333, 33_333, 0))
BOTH = {BTC_USD: RATES, ETH_USD: RATES}
ONE = msgspec.structs.replace(tier_of(text_of("one-step-50k")), leverage=30)


@pytest.mark.parametrize(
    ("initial_ppm", "leverage", "told"),
    [
        (33_333, 30, ""),
        (33_334, 30, "3.3334 %"),
        (200_000, 5, ""),
        (200_000, 6, "20 %"),
        (0, 1, ""),  # no margin: paid in full
        (0, 2, "100 %"),
    ],
)
def test_a_leverage_that_the_house_never_allows_is_found(
    initial_ppm: int, leverage: int, told: str
) -> None:
    margins = {BTC_USD: b.tiers((0, initial_ppm, initial_ppm, 0))} if initial_ppm else {}
    refs = b.refs(b.mark(), margins=margins)
    tier = msgspec.structs.replace(ONE, leverage=leverage, instruments=(BTC_USD,))
    found = misfits(tier, refs)
    assert [each.code for each in found] == (["leverage_undercut"] if told else [])
    assert all(f"{BTC_USD} {told};" in each.text for each in found)


def test_what_does_not_trade_here_is_named() -> None:
    refs = b.refs(b.mark(), margins={ETH_USD: b.tiers((0, 10_000, 5_000, 0))})
    tier = msgspec.structs.replace(ONE, instruments=("XYZ-USD", ETH_USD))
    [found] = misfits(tier, refs)
    assert (found.code, "XYZ-USD" in found.text) == ("instrument_unknown", True)
    assert found.weight == "contradiction"


@pytest.mark.parametrize(
    ("phase", "rate", "told"),
    [
        # A tick of a cent, a lot of a thousandth: 0.00002 for two ticks; a rate of 30 beside it.
        ({"max_risk_per_trade": 2_000}, RATES, ""),
        ({"max_risk_per_trade": 1_999}, RATES, "risk_below_lot"),
        ({"max_lots": 10}, RATES, ""),
        ({"max_lots": 9}, RATES, "lots_below_lot"),
    ],
)
def test_a_rule_that_not_even_one_lot_keeps_is_found(
    phase: dict[str, int], rate: Margin, told: str
) -> None:
    refs = b.refs(b.mark(), b.mark(symbol=ETH_USD), margins={BTC_USD: rate, ETH_USD: rate})
    first = msgspec.structs.replace(ONE.phases[0], **phase)
    tier = msgspec.structs.replace(ONE, phases=(first,), instruments=(BTC_USD,))
    found = misfits(tier, refs)
    assert [each.code for each in found] == ([told] if told else [])
    assert all(each.weight == "contradiction" for each in found)
    assert all(each.where.startswith("phases[0].max_") for each in found)


def test_one_of_several_that_is_too_large_is_unusual() -> None:
    refs = b.refs(b.mark("90000000.00"), b.mark(symbol=ETH_USD), margins=BOTH)
    tier = msgspec.structs.replace(ONE, account=100 * 10**8, leverage=30)
    [found] = misfits(tier, refs)
    assert (found.code, found.weight) == ("account_below_lot", "unusual")
    alone = msgspec.structs.replace(tier, instruments=(BTC_USD,))
    assert [each.weight for each in misfits(alone, refs)] == ["contradiction"]


def test_another_currency_than_the_house_has_is_found() -> None:
    refs = b.refs(b.mark(), b.mark(symbol=ETH_USD), margins=BOTH)
    [found] = misfits(msgspec.structs.replace(ONE, currency="EUR"), refs)
    assert (found.code, found.where) == ("currency_of_house", "currency")


TEXT = """name = "mine"
account = "50000"  # dollars

[[phases]]
name = "one"
daily_loss = { limit = "5%" }

[[phases]]
target = "5%"
max_risk_per_trade = "0.1%"
[phases.daily_loss]
limit = "3%"
from = "initial"
[funded]
news = { before_minutes = 0 }
"""


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("name", 1), ("account", 2), ("phases[0]", 4), ("phases[0].daily_loss.from", 6),
        ("phases[1].max_risk_per_trade", 10), ("phases[1].daily_loss.from", 13),
        ("phases[1].max_lots", 8), ("funded.news", 15), ("funded", 14), ("payout.split", 1),
    ],
)  # fmt: skip
def test_a_finding_names_its_line(where: str, line: int) -> None:
    assert line_of(TEXT, where) == line
