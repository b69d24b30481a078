"""What a product costs somebody: its fee, a coupon's discount, tax, and what an affiliate earns.

Each line is rounded to whole minor units, half to even, once: the discount of the fee, then the tax
of what is left. A commission is rounded down. Pure.
"""

import msgspec

from fondaco.domain.payments.model import (
    PPM,
    Affiliate,
    Coupon,
    Line,
    Product,
    TaxRate,
    amount_text,
    step_of,
)
from fondaco.kernel.errors import Invalid
from fondaco.kernel.money import format_scaled, half_even_div


class Price(msgspec.Struct, frozen=True):
    """`total` is what is paid; `tax` is the part of it that is the state's."""

    lines: tuple[Line, ...]
    total: int
    tax: int
    commission: int


def priced(
    product: Product,
    coupon: Coupon | None = None,
    tax: TaxRate | None = None,
    affiliate: Affiliate | None = None,
) -> Price:
    """Raises `Invalid` where the product's amount is no whole number of minor units."""
    step = step_of(product.currency)
    if product.amount % step or product.amount < 0:
        raise Invalid(
            f"{product.code} costs {format_scaled(product.amount, 8)} {product.currency}, which "
            f"nobody can pay to the cent"
        )
    lines = [Line("fee", product.title, product.amount)]
    left = product.amount
    if coupon is not None:
        off = _off(product, coupon, step)
        lines.append(Line("discount", f"{coupon.code}: {_says(coupon)}", -off))
        left -= off
    taxed = 0
    if tax is not None and tax.rate_ppm:
        whole = PPM + tax.rate_ppm if tax.is_included else PPM
        taxed = half_even_div(left * tax.rate_ppm, whole * step) * step
        rate = f"{format_scaled(tax.rate_ppm, 4)} %"
        text = f"{tax.name} {tax.country} {rate}"
        if tax.is_included:
            lines.append(
                Line("tax", f"{text}, included: {amount_text(taxed, product.currency)}", 0)
            )
        else:
            lines.append(Line("tax", text, taxed))
            left += taxed
    commission = 0
    if affiliate is not None and affiliate.is_active:
        commission = (left - taxed) * affiliate.commission_ppm // (PPM * step) * step
    return Price(tuple(lines), left, taxed, commission)


def _off(product: Product, coupon: Coupon, step: int) -> int:
    if coupon.part_ppm:
        return half_even_div(product.amount * coupon.part_ppm, PPM * step) * step
    return min(coupon.amount, product.amount)


def _says(coupon: Coupon) -> str:
    if coupon.part_ppm:
        return f"{format_scaled(coupon.part_ppm, 4)} % off"
    return f"{amount_text(coupon.amount, coupon.currency)} {coupon.currency} off"


def share(part: int, gone: int, whole: int, step: int) -> int:
    """How much of `part` belongs to `gone` of `whole`, rounded down to `step`; all of it to all.

    Taken at running totals it adds up exactly, in whatever pieces something goes back.
    """
    if gone >= whole:
        return part
    return part * gone // (whole * step) * step
