"""What follows from a purchase: a coupon that it was paid with is used. Pure."""

from collections.abc import Callable, Iterable
from typing import Final

from fondaco.domain.payments.events import PurchaseCompleted, UseCoupon
from fondaco.domain.payments.model import shop_stream
from fondaco.kernel.event import Command, Entry, Event, Instant, StreamId, message_id

_Messages = Iterable[tuple[StreamId, Command]]


def use_coupon(entry: Entry, at: Instant) -> _Messages:
    event: PurchaseCompleted = entry.event  # type: ignore[assignment]
    if not event.coupon:
        return ()
    told = message_id(entry.stream, entry.version)
    command = UseCoupon(told, at, event.coupon, event.purchase_id, event.user)
    return ((shop_stream(event.tenant), command),)


policies: Final[dict[type[Event], tuple[Callable[[Entry, Instant], _Messages], ...]]] = {
    PurchaseCompleted: (use_coupon,)
}
