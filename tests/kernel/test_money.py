"""Exact amounts: nothing is lost on the way in, and nothing rounds by itself."""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import ceil_div, format_scaled, half_even_div, parse_scaled

units = st.integers(-(10**30), 10**30)
decimals = st.integers(0, 18)


@given(units, decimals)
def test_what_is_written_is_read_back(amount: int, scale: int) -> None:
    assert parse_scaled(format_scaled(amount, scale), scale, "amount") == amount


@given(units, decimals)
def test_what_is_written_is_the_number_and_as_short_as_can_be(amount: int, scale: int) -> None:
    text = format_scaled(amount, scale)
    assert Decimal(text) == Decimal(amount).scaleb(-scale, Context(prec=100))
    assert "E" not in text
    assert not (("." in text) and text.endswith(("0", ".")))


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("12.5", 8, 1_250_000_000),
        ("12", 0, 12),
        ("0.00000001", 8, 1),
        ("1e3", 2, 100_000),
        ("-1.25", 2, -125),
        ("007.10", 2, 710),
        ("1.2300", 2, 123),
        ("1E+2", 0, 100),
        ("1.", 2, 100),
    ],
)
def test_reads_every_way_of_writing_a_number(text: str, scale: int, expected: int) -> None:
    assert parse_scaled(text, scale, "price") == expected


@pytest.mark.parametrize(
    "text",
    ["", ".", "abc", "NaN", "Infinity", "1e999999", "1,5", "0x10", "1_0", "٣", "1.234", "--1"],
)
def test_refuses_what_is_no_number_of_that_many_decimals(text: str) -> None:
    with pytest.raises(Invalid, match=r"price is .*, must be a number of at most 2 decimals"):
        parse_scaled(text, 2, "price")


@given(st.integers(-(10**40), 10**40), st.integers(1, 10**20))
def test_divisions_round_as_their_names_say(numerator: int, denominator: int) -> None:
    with localcontext() as context:
        context.prec = 120
        exact = Decimal(numerator) / Decimal(denominator)
        up = int(exact.to_integral_value(ROUND_CEILING))
        even = int(exact.to_integral_value(ROUND_HALF_EVEN))
    assert ceil_div(numerator, denominator) == up
    assert half_even_div(numerator, denominator) == even
