"""What is answered about a tenant's shop."""

import asyncio
from typing import Final

from fondaco.app.house import Kernel
from fondaco.app.payments.desk import Reading
from fondaco.domain.payments import store
from fondaco.domain.payments.events import (
    PutAffiliate,
    PutCoupon,
    PutTaxRate,
    RetireCoupon,
    ShopCommand,
    ShopEvent,
    ShopRefused,
)
from fondaco.domain.payments.model import (
    DECIMALS,
    PPM,
    Affiliate,
    Coupon,
    TaxRate,
    amount_text,
    minor_of,
    shop_stream,
)
from fondaco.domain.payments.shop import api
from fondaco.domain.payments.shop.model import Shop, used
from fondaco.kernel.errors import Invalid, NotFound
from fondaco.kernel.event import CommandId, Instant, fingerprint, request_id
from fondaco.kernel.money import format_scaled, parse_scaled
from fondaco.kernel.operation import Stamp

PERCENT_DECIMALS: Final = 4  # a millionth is 0.0001 %


class ShopDesk:
    """Belongs to the loop's thread."""

    def __init__(self, kernel: Kernel, reading: Reading) -> None:
        self._kernel, self._reading = kernel, reading

    async def coupons(self, stamp: Stamp) -> api.CouponsReply:
        shop = await self._shop(stamp.tenant)
        shown = [_coupon(shop, each, stamp.at) for _, each in sorted(shop.coupons.items())]
        return api.CouponsReply(shown)

    async def put_coupon(self, ask: api.PutCouponRequest, stamp: Stamp) -> api.CouponShown:
        coupon = _made(ask)
        await self._tell(stamp, PutCoupon(*_cause(stamp, ask), coupon, stamp.caller))
        return _coupon(await self._shop(stamp.tenant), coupon, stamp.at)

    async def retire_coupon(self, ask: api.NamedCoupon, stamp: Stamp) -> api.CouponGone:
        told = await self._tell(stamp, RetireCoupon(*_cause(stamp, ask), ask.coupon, stamp.caller))
        if isinstance(told, ShopRefused):
            raise NotFound(told.text, code=told.reason)
        return api.CouponGone(ask.coupon)

    async def affiliates(self, stamp: Stamp) -> api.AffiliatesReply:
        shop = await self._shop(stamp.tenant)
        earned = await self._earned(stamp.tenant)
        shown = [_affiliate(each, earned) for _, each in sorted(shop.affiliates.items())]
        return api.AffiliatesReply(shown)

    async def put_affiliate(self, ask: api.PutAffiliateRequest, stamp: Stamp) -> api.AffiliateShown:
        affiliate = Affiliate(ask.affiliate, ask.name, _part(ask.percent), ask.is_active)
        await self._tell(stamp, PutAffiliate(*_cause(stamp, ask), affiliate, stamp.caller))
        return _affiliate(affiliate, await self._earned(stamp.tenant))

    async def tax_rates(self, stamp: Stamp) -> api.TaxRatesReply:
        shop = await self._shop(stamp.tenant)
        return api.TaxRatesReply([_tax(each) for _, each in sorted(shop.taxes.items())])

    async def put_tax_rate(self, ask: api.PutTaxRateRequest, stamp: Stamp) -> api.TaxRateShown:
        rate = TaxRate(ask.country, ask.name, _part(ask.percent), ask.is_included)
        await self._tell(stamp, PutTaxRate(*_cause(stamp, ask), rate, stamp.caller))
        return _tax(rate)

    async def _shop(self, tenant: str) -> Shop:
        stream = shop_stream(tenant)
        await self._kernel.wake(stream)
        memory = self._kernel.peek(stream)
        return memory.state if memory else Shop()

    async def _tell(self, stamp: Stamp, command: ShopCommand) -> ShopEvent:
        told = await self._kernel.submit(shop_stream(stamp.tenant), command)
        return told[0].event  # type: ignore[return-value]  # of this stream

    async def _earned(self, tenant: str) -> list[store.Earned]:
        def look() -> list[store.Earned]:
            with self._reading() as conn:
                return store.earned(conn, tenant)

        return await asyncio.to_thread(look)


def _cause(stamp: Stamp, ask: object) -> tuple[CommandId, Instant]:
    key = stamp.idempotency_key or stamp.request_id
    content = fingerprint(ask)  # type: ignore[arg-type]  # a request of ours
    return request_id(f"!shop/{stamp.tenant}/{stamp.caller}/{key}", content), stamp.at


def _made(ask: api.PutCouponRequest) -> Coupon:
    """Raises `Invalid` for what is no discount."""
    is_part = ask.percent is not None
    if is_part == (ask.amount is not None) or (ask.amount is None) != (ask.currency is None):
        raise Invalid("say percent, or amount with its currency")
    currency = ask.currency or ""
    amount = parse_scaled(ask.amount, DECIMALS, "amount") if ask.amount else 0
    part = _part(ask.percent) if ask.percent else 0
    if amount:
        minor_of(amount, currency)
    if not (amount or part):
        raise Invalid("a coupon takes something off: more than 0")
    if ask.ends_at and ask.ends_at <= ask.begins_at:
        raise Invalid("ends_at must be behind begins_at")
    return Coupon(
        ask.coupon, part, amount, currency, ask.uses_max, ask.uses_each_max,
        Instant(ask.begins_at), Instant(ask.ends_at), tuple(ask.products),
    )  # fmt: skip


def _part(text: str) -> int:
    part = parse_scaled(text, PERCENT_DECIMALS, "percent")
    if part > PPM:
        raise Invalid(f"percent is {text}, at most 100")
    return part


def _percent(part: int) -> str:
    return format_scaled(part, PERCENT_DECIMALS)


def _coupon(shop: Shop, each: Coupon, at: Instant) -> api.CouponShown:
    return api.CouponShown(
        coupon=each.code,
        percent=_percent(each.part_ppm) if each.part_ppm else "",
        amount=amount_text(each.amount, each.currency) if each.amount else "",
        currency=each.currency,
        uses=used(shop, each.code, at),
        uses_max=each.uses_max,
        uses_each_max=each.uses_each_max,
        begins_at=str(each.begins_at) if each.begins_at else "",
        ends_at=str(each.ends_at) if each.ends_at else "",
        products=list(each.products),
    )


def _affiliate(each: Affiliate, earned: list[store.Earned]) -> api.AffiliateShown:
    lines = [
        api.EarnedLine(
            line.currency,
            line.purchases,
            amount_text(line.paid, line.currency),
            amount_text(line.commission, line.currency),
        )
        for line in earned
        if line.affiliate == each.code
    ]
    return api.AffiliateShown(
        each.code, each.name, _percent(each.commission_ppm), each.is_active, lines
    )


def _tax(each: TaxRate) -> api.TaxRateShown:
    return api.TaxRateShown(each.country, each.name, _percent(each.rate_ppm), each.is_included)
