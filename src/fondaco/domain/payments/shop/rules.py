"""The law of a shop: a coupon is used as often as it may be, by whom it may, and for what. Pure."""

from typing import Final

from fondaco.domain.payments.events import (
    AffiliatePut,
    CouponPut,
    CouponRetired,
    CouponTaken,
    CouponUsed,
    PutAffiliate,
    PutCoupon,
    PutTaxRate,
    RetireCoupon,
    ShopCommand,
    ShopEvent,
    ShopRefused,
    TakeCoupon,
    TaxRatePut,
    UseCoupon,
)
from fondaco.domain.payments.shop.model import Held, Shop, used
from fondaco.kernel.decider import Decider, Refs
from fondaco.kernel.event import Instant, StreamId


def initial(_: StreamId) -> Shop:
    return Shop()


def decide(state: Shop, command: ShopCommand, _: Refs) -> tuple[ShopEvent, ...]:
    match command:
        case PutCoupon():
            return (CouponPut(command.coupon, command.by),)
        case RetireCoupon():
            if command.code not in state.coupons:
                return (ShopRefused(*unknown(command.code), command.by),)
            return (CouponRetired(command.code, command.by),)
        case TakeCoupon():
            return (_take(state, command),)
        case UseCoupon():
            return (CouponUsed(command.code, command.purchase_id, command.user),)
        case PutAffiliate():
            return (AffiliatePut(command.affiliate, command.by),)
        case PutTaxRate():
            return (TaxRatePut(command.rate, command.by),)


def _take(state: Shop, ask: TakeCoupon) -> ShopEvent:
    if ask.purchase_id not in state.uses.get(ask.code, {}):
        wrong = coupon_is_wrong(state, ask.code, ask.user, ask.product, ask.currency, ask.at)
        if wrong:
            return ShopRefused(*wrong, ask.user)
    return CouponTaken(ask.code, ask.purchase_id, ask.user, ask.at, ask.until)


def coupon_is_wrong(
    state: Shop, code: str, user: str, product: str, currency: str, at: Instant
) -> tuple[str, str] | None:
    """Reason and text; None where it may be used."""
    coupon = state.coupons.get(code)
    if coupon is None:
        return unknown(code)
    if at < coupon.begins_at:
        return "coupon_not_yet", f"the coupon {code} is not good yet"
    if coupon.ends_at and at >= coupon.ends_at:
        return "coupon_over", f"the coupon {code} is not good any more"
    if coupon.products and product not in coupon.products:
        return "coupon_not_for_this", f"the coupon {code} is not for {product}"
    if coupon.amount and coupon.currency != currency:
        return "coupon_not_for_this", f"the coupon {code} is in {coupon.currency}, not {currency}"
    if coupon.uses_max and used(state, code, at) >= coupon.uses_max:
        return "coupon_used_up", f"the coupon {code} was used as often as it may be"
    if coupon.uses_each_max and used(state, code, at, user) >= coupon.uses_each_max:
        return "coupon_used_up", f"you have used the coupon {code} as often as you may"
    return None


def unknown(code: str) -> tuple[str, str]:
    return "unknown_coupon", f"there is no coupon {code[:32]}"


def evolve(state: Shop, event: ShopEvent) -> Shop:
    match event:
        case CouponTaken() | CouponUsed():
            _hold(state, event)
        case CouponPut():
            state.coupons[event.coupon.code] = event.coupon
        case CouponRetired():
            state.coupons.pop(event.code, None)
        case AffiliatePut():
            state.affiliates[event.affiliate.code] = event.affiliate
        case TaxRatePut():
            state.taxes = {
                **{key: each for key, each in state.taxes.items() if key != event.rate.country},
                **({event.rate.country: event.rate} if event.rate.rate_ppm else {}),
            }
        case ShopRefused():
            pass
    return state


def _hold(state: Shop, event: CouponTaken | CouponUsed) -> None:
    held = state.uses.setdefault(event.code, {})
    if isinstance(event, CouponUsed):
        held[event.purchase_id] = Held(event.user, Instant(0))
        return
    for each in [key for key, use in held.items() if 0 < use.until <= event.at]:
        del held[each]  # nobody has paid it meanwhile
    known = held.get(event.purchase_id)
    if known is None or known.until:
        held[event.purchase_id] = Held(event.user, event.until)


decider: Final = Decider(initial, decide, evolve, Shop)
