"""What prediction markets charge for a trade. Pure, and exact: no float comes near a fee.

A price is a part of what the contract pays, so the fee follows rate · C · P · (1 - P): most at even
odds, nothing where the outcome is certain. The exchanges differ in how they round it.

Contracts are hundredths (Kalshi sells 0.01 of one), Polymarket's shares millionths; prices are
ten-thousandths of a dollar; amounts are millionths of a dollar unless they say cents.
"""

from typing import Final

import msgspec

from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import ceil_div

ONE: Final = 10_000  # a dollar in ten-thousandths: the price of what is certain
PPM: Final = 1_000_000
HUNDREDTHS: Final = 100
MICROS: Final = 1_000_000
CENT: Final = 10_000  # millionths of a dollar
CENTICENT: Final = 100
KALSHI_TAKER_PPM: Final = 70_000
KALSHI_MAKER_PPM: Final = 17_500
POLYMARKET_STEP: Final = 10  # 0.00001 of a dollar


def kalshi_fee_cents(contracts_e2: int, px: int, rate_ppm: int = KALSHI_TAKER_PPM) -> int:
    """Of a whole order by Kalshi's fee schedule: rate · C · P · (1 - P), up to the next cent."""
    numerator = _quadratic(contracts_e2, px, rate_ppm) * 100
    return ceil_div(numerator, HUNDREDTHS * ONE * ONE * PPM)


def kalshi_trade_fee(contracts_e2: int, px: int, rate_ppm: int = KALSHI_TAKER_PPM) -> int:
    """Of one fill since contracts may be divided: up to the next 0.0001 of a dollar, in
    millionths."""
    exact = _quadratic(contracts_e2, px, rate_ppm)
    return ceil_div(exact * MICROS, HUNDREDTHS * ONE * ONE * PPM * CENTICENT) * CENTICENT


class KalshiFill(msgspec.Struct, frozen=True, gc=False):
    """What one fill does to the balance; `net_fee` is never below zero."""

    trade_fee: int
    rounding_fee: int
    rebate: int
    balance_change: int  # a whole number of the balance's steps
    accumulated: int  # to be handed to the order's next fill

    @property
    def net_fee(self) -> int:
        return self.trade_fee + self.rounding_fee - self.rebate


def kalshi_fill(
    revenue: int, trade_fee: int, accumulated: int = 0, *, step: int = CENT
) -> KalshiFill:
    """Round one fill by docs.kalshi.com/getting_started/fee_rounding.

    `revenue` is below zero for a buyer. The balance falls to the next `step` (a cent; 0.0001 for
    direct members), and what that took is remembered over all fills of the order: where it is more
    than a cent, whole cents are given back, but never more than the fill itself is charged.
    """
    if trade_fee < 0 or trade_fee % CENTICENT or accumulated < 0 or step < 1:
        raise Invalid(
            f"trade_fee is {trade_fee} and accumulated {accumulated}, must be whole 0.0001 "
            "dollars and at least 0"
        )
    exact = revenue - trade_fee
    floored = exact // step * step
    rounding_fee = exact - floored
    accumulated += rounding_fee
    charged = trade_fee + rounding_fee
    rebate = min((accumulated - 1) // CENT, charged // CENT) * CENT if accumulated > CENT else 0
    return KalshiFill(trade_fee, rounding_fee, rebate, floored, accumulated - rebate)


def polymarket_fee(shares_e6: int, px: int, rate_ppm: int) -> int:
    """A taker's by docs.polymarket.com/trading/fees: rate · C · P · (1 - P), down to 0.00001 of a
    dollar, in millionths. The rate is the market's own (`feeSchedule.rate`); makers pay nothing."""
    exact = _quadratic(shares_e6, px, rate_ppm)
    return exact // (ONE * ONE * PPM * POLYMARKET_STEP) * POLYMARKET_STEP


def rothera_fee_cents(contracts_e2: int, px: int, rate_ppm: int) -> int:
    """By rothera.io/fees: MAX(round(k · P · (1 - P) · C, 2), 0.01), halves up."""
    exact, one = _quadratic(contracts_e2, px, rate_ppm) * 100, HUNDREDTHS * ONE * ONE * PPM
    return max((2 * exact + one) // (2 * one), 1)


def _quadratic(qty: int, px: int, rate_ppm: int) -> int:
    """rate · C · P · (1 - P) in the smallest units of each; `Invalid` for what is no trade."""
    if qty < 0 or rate_ppm < 0:
        raise Invalid(f"qty is {qty} and rate {rate_ppm} ppm, must be at least 0")
    if not 0 <= px <= ONE:
        raise Invalid(f"price is {px}, must be 0 to {ONE} ten-thousandths of a dollar")
    return rate_ppm * qty * px * (ONE - px)
