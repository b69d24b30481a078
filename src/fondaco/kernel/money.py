"""Exact amounts as scaled integers. No float enters or leaves this module, and nothing rounds
unless the caller says how."""

from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Annotated, Final, NewType

import msgspec
from msgspec import Meta

from fondaco.kernel.errors import Invalid

AssetCode = NewType("AssetCode", str)  # ISO 4217 where there is one, else the ticker: "USD", "BTC"
DECIMALS_MAX: Final = 9  # of any quantity: a lot is at least 1e-9

# Amounts travel as text, since half the world's JSON readers make floats of numbers.
DecimalText = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,9})?$", max_length=22, examples=["10.25"])
]
_EXACT = Context(prec=100, traps=[Inexact, InvalidOperation])


class Asset(msgspec.Struct, frozen=True, gc=False):
    """Something that is owned in amounts. `decimals` is the scale of the ledger: USD 8, BTC 9."""

    code: AssetCode
    decimals: int
    minor_decimals: int  # to which statements round: ISO 4217 "minor unit", or the usual display
    asset_class: str  # "cash", "crypto" …: what concentration limits speak of


def parse_scaled(text: str, decimals: int, what: str) -> int:
    """Read "12.5" exactly as a whole number of 10^-decimals, or raise `Invalid`."""
    whole, _, fraction = text.partition(".")
    if len(fraction) <= decimals and (whole + fraction).isdecimal() and text.isascii():
        return int(whole + fraction.ljust(decimals, "0"))
    try:  # The long way, for signs and exponents, and for what is wrong.
        plain = text.isascii() and "_" not in text  # other digits and 1_000 are not how we write
        scaled = Decimal(text).scaleb(decimals, _EXACT)
        if plain and abs(scaled.adjusted()) < 60 and scaled == scaled.to_integral_value():
            return int(scaled)
    except (ArithmeticError, ValueError):
        pass  # no number, or none that ends
    raise Invalid(f"{what} is {text[:40]}, must be a number of at most {decimals} decimals")


def format_scaled(units: int, decimals: int) -> str:
    """12500000000 at 9 decimals as "12.5": plain, no exponent, no trailing zeros."""
    if units < 0:
        return "-" + format_scaled(-units, decimals)
    if not decimals:
        return str(units)
    digits = str(units).rjust(decimals + 1, "0")
    fraction = digits[-decimals:].rstrip("0")
    return f"{digits[:-decimals]}.{fraction}" if fraction else digits[:-decimals]


def ceil_div(numerator: int, denominator: int) -> int:
    """Rounds towards plus infinity: what holds and fees use."""
    return -(-numerator // denominator)


def half_even_div(numerator: int, denominator: int) -> int:
    """Rounds half to even: what statements use. `denominator` is positive."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole & 1))
