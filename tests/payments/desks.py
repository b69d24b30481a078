"""Purchases by themselves: commands in, events out, as an actor would, but without one."""

from typing import Any, Final, NamedTuple

from fondaco.domain.payments import events as ev
from fondaco.domain.payments.model import Line, Notice, Product, Purchase, purchase_stream
from fondaco.domain.payments.rules import decide, evolve, initial
from fondaco.kernel.event import CommandId, Instant

ID: Final = "pu_" + "0a" * 12
CENT: Final = 1_000_000
PRODUCT: Final = Product("two-step", 1, "f" * 64, "Two steps", 9_900 * CENT, "EUR", terms=b"{}")


class NoRefs(NamedTuple):
    version: int = 0


def opening(total: int = 9_900 * CENT, **other: Any) -> ev.OpenPurchase:
    said: dict[str, Any] = {
        "tenant": "acme", "user": "ada", "product": PRODUCT,
        "lines": (Line("fee", PRODUCT.title, total),), "total": total, "tax": 0, "country": "",
        "coupon": "", "affiliate": "", "commission": 0, "provider": "sandbox",
        "expires_at": Instant(10**12), **other,
    }  # fmt: skip
    return ev.OpenPurchase(CommandId("open"), Instant(1), **said)


def notice(name: str, kind: Any, cents: int = 9_900, **other: Any) -> Notice:
    said: dict[str, Any] = {"payment": "pi_1", "session": "cs_1", **other}
    return Notice(name, kind, amount=cents * CENT, currency="EUR", **said)


class Told:
    """One purchase, and all that was written of it."""

    def __init__(self, opened: ev.OpenPurchase | None = None) -> None:
        self.state: Purchase = initial(purchase_stream(ID))
        self.events: list[Any] = []
        if opened is not None:
            self.ask(opened)
            self.ask(ev.RecordCheckout(CommandId("c"), Instant(2), "cs_1", "/here", Instant(9)))

    def ask(self, command: Any) -> tuple[Any, ...]:
        found = decide(self.state, command, NoRefs())
        assert found, command
        for event in found:
            self.state = evolve(self.state, event)
        self.events += found
        return found

    def hear(self, said: Notice) -> tuple[Any, ...]:
        return self.ask(ev.HearNotice(CommandId(said.notice), Instant(5), said))

    def of(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.events if isinstance(each, kind)]


def replayed(events: list[Any]) -> Purchase:
    state = initial(purchase_stream(ID))
    for event in events:
        state = evolve(state, event)
    return state
