"""What a house's own margin leaves of a tier's leverage."""

import msgspec
import pytest

import build as b
from build import BTC_USD, ETH_USD
from fondaco.app.tiers import undercut
from fondaco.domain.evaluation.reading import text_of, tier_of

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
    found = list(undercut(tier, refs))
    assert [each.code for each in found] == (["leverage_undercut"] if told else [])
    assert all(f"{BTC_USD} {told};" in each.text for each in found)


def test_what_does_not_trade_here_is_named() -> None:
    refs = b.refs(b.mark(), margins={ETH_USD: b.tiers((0, 10_000, 5_000, 0))})
    tier = msgspec.structs.replace(ONE, instruments=("XYZ-USD", ETH_USD))
    [found] = undercut(tier, refs)
    assert (found.code, "XYZ-USD" in found.text) == ("instrument_unknown", True)
