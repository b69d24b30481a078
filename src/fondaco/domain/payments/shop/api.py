"""What is asked about a tenant's shop: coupons, affiliates and tax rates."""

from typing import Annotated, Any, Final, Protocol

import msgspec
from msgspec import Meta

from fondaco.domain.identity.model import Scope
from fondaco.domain.payments.model import CodeText, CountryText
from fondaco.kernel.errors import NotFound
from fondaco.kernel.money import DecimalText
from fondaco.kernel.operation import Do, Operation, Stamp

PercentText = Annotated[
    str, Meta(pattern=r"^[0-9]{1,3}(\.[0-9]{1,4})?$", max_length=8, examples=["19"])
]
CurrencyText = Annotated[str, Meta(pattern=r"^[A-Z]{3}$", examples=["EUR"])]
NameText = Annotated[str, Meta(min_length=1, max_length=100)]
Uses = Annotated[int, Meta(ge=0, le=10**9)]
NsNumber = Annotated[int, Meta(ge=0, le=2**62)]


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class PutCouponRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`percent` or `amount` with `currency`. `uses_max` and `uses_each_max` (of one user) 0: as
    often as somebody likes. Times are nanoseconds since 1970, UTC; `ends_at` 0: never. `products`
    empty: all."""

    coupon: CodeText
    percent: PercentText | None = None
    amount: DecimalText | None = None
    currency: CurrencyText | None = None
    uses_max: Uses = 0
    uses_each_max: Uses = 0
    begins_at: NsNumber = 0
    ends_at: NsNumber = 0
    products: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(max_length=100)] = []


class CouponShown(msgspec.Struct, frozen=True, kw_only=True):
    """`uses` are purchases that were paid with it, or may be until their checkout ends."""

    coupon: str
    percent: str
    amount: str
    currency: str
    uses: int
    uses_max: int
    uses_each_max: int
    begins_at: str
    ends_at: str
    products: list[str]


class CouponsReply(msgspec.Struct, frozen=True):
    items: list[CouponShown]


class NamedCoupon(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    coupon: CodeText


class CouponGone(msgspec.Struct, frozen=True):
    retired: str


class PutAffiliateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`percent` of what buyers have paid without tax."""

    affiliate: CodeText
    name: NameText
    percent: PercentText
    is_active: bool = True


class EarnedLine(msgspec.Struct, frozen=True):
    """Less what went back."""

    currency: str
    purchases: int
    paid: str
    commission: str


class AffiliateShown(msgspec.Struct, frozen=True):
    affiliate: str
    name: str
    percent: str
    is_active: bool
    earned: list[EarnedLine]


class AffiliatesReply(msgspec.Struct, frozen=True):
    items: list[AffiliateShown]


class PutTaxRateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`percent` 0 takes the country out. `is_included`: prices hold it already."""

    country: CountryText
    name: NameText
    percent: PercentText
    is_included: bool = False


class TaxRateShown(msgspec.Struct, frozen=True):
    country: str
    name: str
    percent: str
    is_included: bool


class TaxRatesReply(msgspec.Struct, frozen=True):
    items: list[TaxRateShown]


class Shops(Protocol):
    """What the door is given to answer from."""

    async def coupons(self, stamp: Stamp) -> CouponsReply: ...

    async def put_coupon(self, ask: PutCouponRequest, stamp: Stamp) -> CouponShown: ...

    async def retire_coupon(self, ask: NamedCoupon, stamp: Stamp) -> CouponGone: ...

    async def affiliates(self, stamp: Stamp) -> AffiliatesReply: ...

    async def put_affiliate(self, ask: PutAffiliateRequest, stamp: Stamp) -> AffiliateShown: ...

    async def tax_rates(self, stamp: Stamp) -> TaxRatesReply: ...

    async def put_tax_rate(self, ask: PutTaxRateRequest, stamp: Stamp) -> TaxRateShown: ...


async def _coupons(_: NoFields, stamp: Stamp, on: Shops) -> CouponsReply:
    return await on.coupons(stamp)


async def _put_coupon(ask: PutCouponRequest, stamp: Stamp, on: Shops) -> CouponShown:
    return await on.put_coupon(ask, stamp)


async def _retire_coupon(ask: NamedCoupon, stamp: Stamp, on: Shops) -> CouponGone:
    return await on.retire_coupon(ask, stamp)


async def _affiliates(_: NoFields, stamp: Stamp, on: Shops) -> AffiliatesReply:
    return await on.affiliates(stamp)


async def _put_affiliate(ask: PutAffiliateRequest, stamp: Stamp, on: Shops) -> AffiliateShown:
    return await on.put_affiliate(ask, stamp)


async def _tax_rates(_: NoFields, stamp: Stamp, on: Shops) -> TaxRatesReply:
    return await on.tax_rates(stamp)


async def _put_tax_rate(ask: PutTaxRateRequest, stamp: Stamp, on: Shops) -> TaxRateShown:
    return await on.put_tax_rate(ask, stamp)


OPERATIONS: Final[tuple[Operation[Any, Any], ...]] = (
    Do(
        name="shop.coupons",
        summary="The coupons of the shop, and how often each was used.",
        method="GET",
        path="/coupons",
        request=NoFields,
        reply=CouponsReply,
        scope=Scope.PAYMENTS_READ,
        source="shop",
        answer=_coupons,
    ),
    Do(
        name="shop.put_coupon",
        summary="Make a coupon, or change it for purchases from now on.",
        method="PUT",
        path="/coupons/{coupon}",
        request=PutCouponRequest,
        reply=CouponShown,
        scope=Scope.PAYMENTS_WRITE,
        source="shop",
        answer=_put_coupon,
        example={"percent": "20"},
    ),
    Do(
        name="shop.retire_coupon",
        summary="Take a coupon back: nobody uses it from now on.",
        method="DELETE",
        path="/coupons/{coupon}",
        request=NamedCoupon,
        reply=CouponGone,
        scope=Scope.PAYMENTS_WRITE,
        errors=(NotFound,),
        source="shop",
        answer=_retire_coupon,
    ),
    Do(
        name="shop.affiliates",
        summary="Who brings buyers, and what they have earned.",
        method="GET",
        path="/affiliates",
        request=NoFields,
        reply=AffiliatesReply,
        scope=Scope.PAYMENTS_READ,
        source="shop",
        answer=_affiliates,
    ),
    Do(
        name="shop.put_affiliate",
        summary="Add somebody who brings buyers, or change what they earn from now on.",
        method="PUT",
        path="/affiliates/{affiliate}",
        request=PutAffiliateRequest,
        reply=AffiliateShown,
        scope=Scope.PAYMENTS_WRITE,
        source="shop",
        answer=_put_affiliate,
    ),
    Do(
        name="shop.tax_rates",
        summary="The tax on purchases by the buyer's country.",
        method="GET",
        path="/tax-rates",
        request=NoFields,
        reply=TaxRatesReply,
        scope=Scope.PAYMENTS_READ,
        source="shop",
        answer=_tax_rates,
    ),
    Do(
        name="shop.put_tax_rate",
        summary="Set the tax of a country on purchases from now on.",
        method="PUT",
        path="/tax-rates/{country}",
        request=PutTaxRateRequest,
        reply=TaxRateShown,
        scope=Scope.PAYMENTS_WRITE,
        source="shop",
        answer=_put_tax_rate,
    ),
)
