"""F and H1, H2: published ratios of returns; and the closed forms of the gambler's ruin."""

import pytest

from fondaco.domain.performance import ratios as of
from fondaco.domain.performance.ruin import adjustment_coefficient, gamblers_ruin, risk_of_ruin

# Bacon (2008), 24 months; expectations as documented in PerformanceAnalytics c079aea1.
P = [
    0.003, 0.026, 0.011, -0.010, 0.015, 0.025, 0.016, 0.067, -0.014, 0.040, -0.005, 0.081,
    0.040, -0.037, -0.061, 0.017, -0.049, -0.022, 0.070, 0.058, -0.065, 0.024, -0.005, -0.009,
]  # fmt: skip
MAR = 0.005
FLOWS = [(26 / 31, -15.05), (22 / 31, 19.82), (16 / 31, 16.42), (7 / 31, -18.96)]
FIGURES = {
    "annualised return": (of.annualized_return(P, 12), 0.10368),
    "downside deviation": (of.downside_deviation(P, MAR), 0.0255),
    "upside risk": (of.upside_risk(P, MAR), 0.02937),
    "downside frequency": (of.downside_frequency(P, MAR), 0.458),
    "Bernardo-Ledoit": (of.bernardo_ledoit(P), 1.78),
    "Omega-Sharpe": (of.omega_sharpe(P, MAR), 0.29),
    "Pain index": (of.pain_index(P), 0.04),
    "maximum drawdown": (of.max_drawdown(P), 0.14467),
    "downside potential": (of.downside_potential(P, MAR), 0.0137),
    "upside potential": (of.upside_potential(P, MAR), 0.01771),
    "mean absolute deviation": (of.mean_absolute_deviation(P), 0.0310),
    "D ratio": (of.d_ratio(P), 0.401),
    "kurtosis of a sample": (of.sample_kurtosis(P), 3.03),
    "its excess": ((of.sample_kurtosis(P) or 0.0) - 3 * 23**2 / (22 * 21), -0.41),
    "H1 modified Dietz": (
        of.modified_dietz(
            585.60, 602.34, FLOWS
        ),
        0.0245,
    ),
    "H2 modified Dietz": (of.modified_dietz(100, 300, [(0.5, 50)]), 1.2),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_ratios_are_those_that_were_published(name: str) -> None:
    found, expected = FIGURES[name]
    digits = len(str(expected).partition(".")[2])
    assert found == pytest.approx(expected, abs=0.6 * 10**-digits)


def test_lundbergs_bound_of_a_coin_is_the_gamblers_ruin() -> None:
    coin = [1.0] * 55 + [-1.0] * 45
    assert risk_of_ruin(coin, 10) == pytest.approx((45 / 55) ** 10, rel=1e-12)
    assert risk_of_ruin(coin, 10) == pytest.approx(gamblers_ruin(0.55, 10, 2_000), rel=1e-9)
    assert adjustment_coefficient([-1.0, 1.0]) == 0.0
    assert risk_of_ruin([-1.0, 1.0], 10) == 1.0
    assert risk_of_ruin([2.0, 1.0], 10) == 0.0


def test_fellers_table_of_the_classical_ruin_problem() -> None:
    """Feller I (1968), XIV.2, table 1: p, start, target, probability of ruin."""
    rows = [
        (0.5, 9, 10, 0.1), (0.5, 90, 100, 0.1), (0.5, 900, 1_000, 0.1), (0.5, 950, 1_000, 0.05),
        (0.5, 8_000, 10_000, 0.2), (0.45, 9, 10, 0.210), (0.45, 90, 100, 0.866),
        (0.45, 99, 100, 0.182), (0.4, 90, 100, 0.983), (0.4, 99, 100, 0.333),
    ]  # fmt: skip
    for win, start, target, ruin in rows:
        assert gamblers_ruin(win, start, target) == pytest.approx(ruin, abs=6e-4)
