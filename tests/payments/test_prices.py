"""Prices to the cent: discounts, taxes and commissions, and coupons as often as they may be."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fondaco.domain.payments import events as ev
from fondaco.domain.payments.model import (
    Affiliate,
    Coupon,
    Product,
    TaxRate,
    amount_text,
    minor_of,
    step_of,
)
from fondaco.domain.payments.prices import priced, share
from fondaco.domain.payments.shop.model import Shop, used
from fondaco.domain.payments.shop.rules import decide, evolve, initial
from fondaco.kernel.errors import Invalid
from fondaco.kernel.event import CommandId, Instant, StreamId
from payments.desks import NoRefs

laws = settings(max_examples=200, deadline=None)
ppm = st.integers(0, 1_000_000)
parts = st.integers(1, 1_000_000)


def product(minor: int, currency: str) -> Product:
    return Product("t", 1, "f", "T", minor * step_of(currency), currency)


def coupon(**other: Any) -> Coupon:
    said: dict[str, Any] = {
        "code": "C", "part_ppm": 0, "amount": 0, "currency": "", "uses_max": 0,
        "uses_each_max": 0, "begins_at": Instant(0), "ends_at": Instant(0), "products": (), **other,
    }  # fmt: skip
    return Coupon(**said)


@laws
@given(
    st.integers(0, 10_000_000),
    st.sampled_from(["EUR", "JPY", "KWD"]),
    parts,
    ppm,
    ppm,
    st.booleans(),
)
def test_lines_add_up_and_each_is_rounded_once_as_it_is_said(
    minor: int, currency: str, off: int, tax: int, earns: int, is_included: bool
) -> None:
    """The same figures worked out with decimals."""
    found = priced(
        product(minor, currency),
        coupon(part_ppm=off),
        TaxRate("DE", "VAT", tax, is_included),
        Affiliate("A", "A", earns, True),
    )
    one = Decimal(1)
    discount = (Decimal(minor) * off / 1_000_000).quantize(one, ROUND_HALF_EVEN)
    left = Decimal(minor) - discount
    over = 1_000_000 + tax if is_included else 1_000_000
    taxed = (left * tax / over).quantize(one, ROUND_HALF_EVEN)
    total = left if is_included else left + taxed
    earned = ((total - taxed) * earns / 1_000_000).quantize(one, ROUND_DOWN)
    wanted = [int(each) for each in (total, taxed, earned)]
    assert [
        minor_of(each, currency) for each in (found.total, found.tax, found.commission)
    ] == wanted
    assert sum(each.amount for each in found.lines) == found.total


def test_a_fixed_coupon_takes_no_more_than_there_is() -> None:
    cheap = priced(product(900, "EUR"), coupon(amount=10_00 * step_of("EUR"), currency="EUR"))
    assert (cheap.total, [each.kind for each in cheap.lines]) == (0, ["fee", "discount"])


@laws
@given(st.integers(0, 10**9), st.lists(st.integers(1, 10**6), max_size=8))
def test_shares_at_running_totals_add_up_to_the_whole(part: int, pieces: list[int]) -> None:
    whole, gone, given_back = sum(pieces), 0, 0
    for piece in pieces:
        before, gone = gone, gone + piece
        given_back += share(part, gone, whole, 1) - share(part, before, whole, 1)
        assert 0 <= given_back <= part
    assert given_back == part or not pieces


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(1_230_000_000, "EUR", "12.30"), (-5_000_000, "EUR", "-0.05"), (10**11, "JPY", "1000"),
     (100_000, "KWD", "0.001")],
)  # fmt: skip
def test_amounts_are_written_with_all_digits_of_their_currency(
    amount: int, currency: str, text: str
) -> None:
    assert amount_text(amount, currency) == text


@pytest.mark.parametrize("currency", ["ISK", "UGX", "MGA", "eur", "EURO", ""])
def test_nothing_is_sold_in_what_means_two_amounts(currency: str) -> None:
    with pytest.raises(Invalid, match="nothing is sold in"):
        step_of(currency)


def test_a_part_of_a_cent_is_no_price() -> None:
    with pytest.raises(Invalid, match="to the cent"):
        priced(Product("t", 1, "f", "T", 1, "EUR"))


# --- Coupons --------------------------------------------------------------------------------------


class Told:
    def __init__(self) -> None:
        self.state: Shop = initial(StreamId("shop/acme"))

    def ask(self, command: Any) -> Any:
        (event,) = decide(self.state, command, NoRefs())
        self.state = evolve(self.state, event)
        return event


def take(nth: int, at: int, user: str = "ada", until: int = 100) -> ev.TakeCoupon:
    return ev.TakeCoupon(
        CommandId("t"), Instant(at), "C", f"pu_{nth}", user, "t", "EUR", Instant(until)
    )


takings = st.lists(
    st.tuples(
        st.integers(0, 6), st.sampled_from(["ada", "bob"]), st.integers(1, 40), st.booleans()
    ),
    max_size=20,
)


@laws
@given(takings, st.integers(1, 3), st.integers(1, 3))
def test_no_coupon_is_used_more_often_than_it_may_be(
    steps: list[tuple[int, str, int, bool]], most: int, each_most: int
) -> None:
    """Purchases take it, some are paid in time; what is not paid gives it back."""
    told, at, paid = Told(), 1, set[tuple[int, str]]()
    limited = coupon(part_ppm=1, uses_max=most, uses_each_max=each_most)
    told.ask(ev.PutCoupon(CommandId("p"), Instant(0), limited, "bob"))
    owner: dict[int, str] = {}
    for nth, who, later, is_paid in steps:
        user = owner.setdefault(nth, who)  # a purchase is one user's
        at += later
        event = told.ask(take(nth, at, user, at + 50))
        if isinstance(event, ev.CouponTaken) and is_paid:
            told.ask(ev.UseCoupon(CommandId("u"), Instant(at), "C", f"pu_{nth}", user))
            paid.add((nth, user))
        assert used(told.state, "C", Instant(at)) <= most
        for each in ("ada", "bob"):
            assert used(told.state, "C", Instant(at), each) <= each_most
        assert {(n, u) for n, u in paid} <= {
            (int(name[3:]), held.user) for name, held in told.state.uses["C"].items()
        }


@pytest.mark.parametrize(
    ("made", "at", "reason"),
    [
        ({"begins_at": Instant(10)}, 9, "coupon_not_yet"),
        ({"ends_at": Instant(10)}, 10, "coupon_over"),
        ({"products": ("other",)}, 1, "coupon_not_for_this"),
        ({"part_ppm": 0, "amount": 1_000_000, "currency": "USD"}, 1, "coupon_not_for_this"),
        ({}, 1, ""),
    ],
)
def test_why_a_coupon_may_not_be_used(made: dict[str, Any], at: int, reason: str) -> None:
    told = Told()
    assert told.ask(take(1, at)).reason == "unknown_coupon"
    told.ask(ev.PutCoupon(CommandId("p"), Instant(0), coupon(**{"part_ppm": 1, **made}), "bob"))
    found = told.ask(take(1, at))
    assert getattr(found, "reason", "") == reason
    told.ask(ev.RetireCoupon(CommandId("r"), Instant(0), "C", "bob"))
    assert told.ask(take(2, at)).reason == "unknown_coupon"
