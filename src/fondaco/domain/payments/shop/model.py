"""The state of a shop."""

import msgspec

from fondaco.domain.payments.model import Affiliate, Coupon, TaxRate
from fondaco.kernel.event import Instant


class Held(msgspec.Struct, frozen=True):
    """One use of a coupon: by a purchase that was paid, or that may be paid before `until`."""

    user: str
    until: Instant  # 0: it was paid


class Shop(msgspec.Struct):
    coupons: dict[str, Coupon] = {}
    uses: dict[str, dict[str, Held]] = {}  # by coupon, by purchase
    affiliates: dict[str, Affiliate] = {}
    taxes: dict[str, TaxRate] = {}


def used(state: Shop, code: str, at: Instant, user: str | None = None) -> int:
    """How often a coupon is used or held; by one user."""
    held = state.uses.get(code, {}).values()
    return sum(
        1 for each in held
        if (not each.until or each.until > at) and (user is None or each.user == user)
    )  # fmt: skip
